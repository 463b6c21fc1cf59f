import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { parseUnetConfig } from '../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../lib/engine/networks/unet/denoiser.ts';
import { denoise } from '../../../lib/engine/propagation/loop.ts';
import { spansOf } from '../../../lib/engine/propagation/plan.ts';
import { createScheduler } from '../../../lib/engine/schedulers/index.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import type { Motion } from '../../../lib/contracts/task-inputs.ts';
import type { GenerateInput, Progress } from '../../../lib/engine/tasks/task.ts';
import { concatRows, rows } from '../../../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { difference, expectTrajectory } from '../../support/parity.ts';
import { testRuntime } from '../support/graphs.ts';
import reference from '../../golden/tiny-sd/reference/video.json' with { type: 'json' };

// References: training/golden/video.py. `exact` by diffusers' pipeline, `propagated` by an independent Python loop.

type Float32 = Tensor<'float32'>;

let engine: Engine;
let tensors: Map<string, Tensor>;
const tensor = (name: string) => tensors.get(name) as Float32;

beforeAll(async () => {
  engine = new Engine({ device: 'cpu' });
  tensors = await readSafetensors('test/golden/tiny-sd/reference/video.safetensors');
});
afterAll(() => engine.dispose());

const { prompt, negativePrompt, frames, steps, motion, keySteps, guidance, seed } = reference;

function request(change: Partial<GenerateInput> = {}): GenerateInput {
  return {
    task: 'text-to-video',
    model: 'test/golden/tiny-sd',
    ...{ prompt, negativePrompt, steps, seed },
    width: 40,
    height: 24,
    guidanceScale: guidance,
    count: 1,
    plan: 'exact',
    injection: 0,
    decodeWidth: 'auto',
    noiseKind: 'torch-cpu',
    latents: tensor('latents'),
    video: { frames, fps: 4, motion, format: 'mp4' },
    ...change,
  };
}

describe('Text2Video-Zero, against diffusers', () => {
  it('has the latents of its pipeline, frame by frame', async () => {
    const { latents, pictures, receipt } = await engine.generate(request());
    expectTrajectory(latents, tensor('exact'), 'exact');
    expect(pictures).toHaveLength(frames);
    // One step to t1 and two to t0 of the first frame, then all frames from t1.
    expect(receipt.encoderRuns).toBe(1 + 2 + 24);
    expect(receipt.decoderRuns).toBe(1 + 2 + 24);
  });

  it('propagates its encoder in the last loop, counting from that loop', async () => {
    const { latents, receipt } = await engine.generate(request({ plan: { keySteps } }));
    expectTrajectory(latents, tensor('propagated'), 'propagated');
    expect(difference(latents, tensor('exact')).max).toBeGreaterThan(0.01);
    expect(receipt.encoderRuns).toBe(1 + 2 + keySteps.length);
    expect(receipt.decoderRuns).toBe(1 + 2 + 24);
  });
});

describe('all frames from t1 on', () => {
  let denoiser: UnetDenoiser;
  let start: Float32;
  let text: Float32;
  beforeAll(async () => {
    const runtime = await testRuntime();
    const { config, weights } = await (await openModel('test/golden/tiny-sd')).network('unet');
    denoiser = new UnetDenoiser(parseUnetConfig(config), weights, (graph) => runtime.open(graph));
    start = concatRows([tensor('first_at_t1'), tensor('noised')]);
    text = concatRows([tensor('negative_prompt_embeds'), tensor('prompt_embeds')]);
  });
  afterAll(() => denoiser.dispose());

  async function play(keys: readonly number[] | undefined, width: number, perCall: number) {
    const source = await openModel('test/golden/tiny-sd');
    const run = createScheduler(await source.config('scheduler')).begin({ steps, first: 1 });
    const count = run.timesteps.length;
    const trace: Float32[] = [];
    await denoise(
      {
        ...{ denoiser, run, latents: start },
        prepared: await denoiser.prepare({ encoderHiddenStates: text, frames: { count: frames, perCall } }),
        spans: spansOf(keys ?? run.timesteps.map((_, i) => i), count, { steps: width, rest: 'together' }),
        guidanceScale: guidance,
        injection: { alpha: 0, tau: 0.5, trainSteps: 1000 },
        noise: () => start,
      },
      { onStep: (_, latents) => void trace.push(latents) },
    );
    return trace;
  }

  it('are those of Python half way', async () => {
    const exact = await play(undefined, 1, frames);
    expectTrajectory(exact[4]!, tensor('exact_step_4'), 'exact, step 4');
    const propagated = await play(keySteps, 1, frames);
    expectTrajectory(propagated[8]!, tensor('propagated_step_8'), 'propagated, step 8');
    expectTrajectory(propagated.at(-1)!, tensor('propagated'), 'propagated');
  });

  it('are the same for every number of steps and of frames to a call', async () => {
    const serial = await play(keySteps, 1, 1);
    for (const [width, perCall] of [
      [2, 1],
      [5, 2],
      [24, 2],
    ] as const) {
      const parallel = await play(keySteps, width, perCall);
      parallel.forEach((latents, i) => {
        expect(difference(latents, serial[i]!).max, `width ${width}, step ${i}`).toBeLessThan(1e-5);
      });
    }
  });
});

describe('a video', () => {
  it('is told about while it is made', async () => {
    const seen: Progress[] = [];
    const previews: number[] = [];
    await engine.generate(request({ plan: 'faster' }), {
      onProgress: (progress) => seen.push(progress),
      onPreview: (step) => previews.push(step),
    });
    expect(seen.at(-1)).toMatchObject({ stage: 'vae', fraction: 1, step: 27, steps: 27 });
    expect(seen.filter(({ stage }) => stage === 'vae')).toHaveLength(1 + frames);
    expect(previews.length).toBeGreaterThan(0);
    // Also between the frames of one step, and never backwards.
    const steps = seen.filter(({ stage }) => stage === 'denoise');
    expect(new Set(steps.map(({ step }) => step)).size).toBeLessThan(steps.length);
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(new Set(fractions.slice(0, -1)).size).toBeGreaterThan(27);
  });

  it('goes along a path, and nearer: each frame looks where its motion says', async () => {
    const play = async (motion: Motion) => {
      const { latents } = await engine.generate(
        request({ plan: 'faster', video: { frames, fps: 4, motion, format: 'mp4' } }),
      );
      return latents;
    };
    const straight = await play({ x: 128, y: 64 });
    const last = { x: 128 * (frames - 1), y: 64 * (frames - 1) };
    const places = [{ x: last.x / 4, y: last.y / 4 }, last];
    const along = await play({ x: 0, y: 0, path: places });
    expect(difference(along, straight).max).toBeLessThan(1e-5);
    const still = await play({ x: 0, y: 0 });
    expect(difference(await play({ x: 128, y: 64, path: [{ x: 0, y: 0 }] }), still).max).toBe(0);
    const near = await play({ x: 0, y: 0, zoom: 1.25 });
    // The first frame is where it was; the others are not.
    expect(difference(rows(near, 0, 1), rows(still, 0, 1)).max).toBeLessThan(1e-5);
    expect(difference(rows(near, 1, frames), rows(still, 1, frames)).max).toBeGreaterThan(0.05);
  });

  it('of a batch is the one its own seed draws', async () => {
    const both = await engine.generate(request({ latents: undefined, count: 2, plan: 'faster' }));
    const second = await engine.generate(request({ latents: undefined, seed: seed + 1, plan: 'faster' }));
    expect(both.pictures).toHaveLength(2 * frames);
    expect(difference(rows(both.latents, frames, 2 * frames), second.latents).max).toBeLessThan(1e-5);
  });

  it('runs with schedulers in sigma: the frames are as noisy as the first', async () => {
    const { latents } = await engine.generate(
      request({
        latents: undefined,
        scheduler: 'euler',
        video: { frames, fps: 4, motion: { x: 0, y: 0 }, format: 'mp4' },
      }),
    );
    const std = (x: Float32) =>
      Math.sqrt(x.data.reduce((sum, value) => sum + value * value, 0) / x.data.length);
    const [first, other] = [std(rows(latents, 0, 1)), std(rows(latents, 1, 2))];
    expect(Math.abs(other / first - 1)).toBeLessThan(0.3);
  });

  it('wants two steps at least', async () => {
    await expect(engine.generate(request({ steps: 1 }))).rejects.toMatchObject({
      code: 'invalid_parameter',
      message: expect.stringContaining('at least 2 steps') as string,
    });
    const { pictures } = await engine.generate(request({ steps: 2 }));
    expect(pictures).toHaveLength(frames);
  });

  it('can be stopped between the calls of a step', async () => {
    const cancel = new AbortController();
    const run = engine.generate(request(), {
      signal: cancel.signal,
      onProgress: ({ step }) => {
        if (step === 5) cancel.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  });
});
