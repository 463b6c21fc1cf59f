import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../../lib/contracts/generation.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { denoise } from '../../../lib/engine/propagation/loop.ts';
import { spansOf } from '../../../lib/engine/propagation/plan.ts';
import { createScheduler } from '../../../lib/engine/schedulers/index.ts';
import { Guidance, guides, switchesOf } from '../../../lib/engine/tasks/control.ts';
import { Engine } from '../../../lib/engine/tasks/engine.ts';
import { loadModel, type LoadedModel } from '../../../lib/engine/tasks/loaded-model.ts';
import { RunMeter } from '../../../lib/engine/tasks/run-meter.ts';
import type { ControlInput, GenerateInput, Progress } from '../../../lib/engine/tasks/task.ts';
import { concatRows, reshaped, rows } from '../../../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import {
  controlPicture,
  controlReference,
  writeControlNet,
  type ControlCase,
} from '../../support/control.ts';
import { difference, expectForward, expectTrajectory } from '../../support/parity.ts';
import { testRuntime } from '../support/graphs.ts';

type Float32 = Tensor<'float32'>;

const model = 'test/golden/tiny-sd';
const size = { width: 32, height: 16 };
const { cases } = await controlReference();
let engine: Engine;
let scratch: string;
const nets = new Map<number, string>();
let traces: Map<string, Float32>;
let words: Map<string, Float32>;

beforeAll(async () => {
  engine = new Engine({ device: 'cpu' });
  scratch = await mkdtemp(join(tmpdir(), 'encore-guided-'));
  for (const seed of [11, 12]) nets.set(seed, await writeControlNet(scratch, seed));
  const read = async (name: string) =>
    (await readSafetensors(`${model}/reference/${name}.safetensors`)) as Map<string, Float32>;
  traces = await read('control');
  words = await read('traces');
});
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true });
});

/** A run by itself. */
const whole = (evaluations: number) => ({ evaluations, from: 0, of: evaluations });

const controlOf = ({ seed, ...rest }: ControlCase['control'][number]): ControlInput => ({
  ...rest,
  model: nets.get(seed)!,
  image: controlPicture(seed, size.width, size.height),
});

const request = (control: ControlInput[], change: Partial<GenerateInput> = {}): GenerateInput => ({
  task: 'reference',
  ...{ model, prompt: '', negativePrompt: '', ...size, count: 2, seed: 0 },
  ...{ steps: 12, guidanceScale: 5, plan: 'exact', injection: 0, decodeWidth: 'auto', control },
  latents: words.get('latents')!,
  promptEmbeds: words.get('prompt_embeds')!,
  negativePromptEmbeds: words.get('negative_prompt_embeds')!,
  ...change,
});

/** Latents after every step of a run as run.ts makes it, with decoder calls of `width` steps. */
async function walk(loaded: LoadedModel, reference: ControlCase, width: number): Promise<Float32[]> {
  const { steps, alpha = 0 } = reference;
  const guidance = await Guidance.open(loaded, request(reference.control.map(controlOf)));
  const run = createScheduler(loaded.schedulerConfig, undefined).begin({ steps });
  const states = concatRows([words.get('negative_prompt_embeds')!, words.get('prompt_embeds')!]);
  const planned = reference.keySteps ?? Array.from({ length: steps }, (_, i) => i);
  const { keySteps } = guidance.keySteps(planned, whole(steps));
  expect(keySteps).toEqual(planned);
  const course = { height: 4, width: 8 };
  const control = await guidance.guide(
    { run, states, count: 2, meter: new RunMeter(1), checkpoint: () => undefined },
    { course, frames: 1, stretch: whole(steps) },
  );
  const seen: Float32[] = [];
  await denoise(
    {
      ...{ denoiser: loaded.denoiser, run, control, guidanceScale: 5, latents: words.get('latents')! },
      prepared: await loaded.denoiser.prepare({ encoderHiddenStates: states }),
      spans: spansOf(keySteps, steps, { steps: width, rest: 'together' }),
      injection: { alpha, tau: 0.5, trainSteps: 1000 },
      noise: () => {
        throw new Error('DDIM draws none');
      },
    },
    { onStep: (_, latents) => void seen.push(latents) },
  );
  return seen;
}

describe('runs under ControlNets, step by step', () => {
  test.each(cases.map((each) => [each.case, each] as const))('%s equals diffusers', async (_, each) => {
    const runtime = await testRuntime();
    const loaded = await loadModel(model, (graph) => runtime.open(graph));
    const expected = traces.get(`${each.case}.latents`)!;
    const seen = await walk(loaded, each, 1);
    expect(seen).toHaveLength(each.steps);
    seen.forEach((latents, i) => {
      const at = reshaped(rows(expected, i, i + 1), latents.shape);
      expectTrajectory(latents, at, `step ${i}`);
    });
    if (each.keySteps !== undefined) {
      // Several steps to a call change nothing but rounding.
      const parallel = await walk(loaded, each, 5);
      expectForward(parallel.at(-1)!, seen.at(-1)!, 'parallel');
    }
    await loaded.release();
  });
});

describe('a guided run', () => {
  const two = cases.find((each) => each.case === 'propagated-two')!;

  test('runs ControlNets at key steps only, and says what that saved', async () => {
    const { receipt } = await engine.generate(
      request(two.control.map(controlOf), { plan: { keySteps: [0, 1, 3, 7] } }),
    );
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
    // Of 12 steps the first guides 0 to 5, the second 3 to 11; key steps at 3 and 6 are where that changes.
    expect(receipt.keySteps).toEqual([0, 1, 3, 6, 7]);
    expect(receipt.controlRuns).toBe(3 + 3);
    expect(receipt.controlRunsSaved).toBe(6 + 9 - 6);
    expect(receipt.control).toMatchObject([
      { model: 'control-11', scale: 0.8, start: 0, end: 0.5 },
      { model: 'control-12', scale: 0.5, start: 0.25, end: 1 },
    ]);
    expect(receipt.control![0]!.hash).not.toBe(receipt.control![1]!.hash);
    expect(receipt.notices).toContain(
      'A ControlNet begins or ends at step 6, which the plan now runs in full.',
    );
    expect(receipt.seconds.control).toBeGreaterThan(0);
    expect(receipt.exactEstimate!.method).toMatch(/9 more ControlNet runs at .* ms/);
    const { encoder, decoder, control } = receipt.seconds;
    expect(receipt.exactEstimate!.unetSeconds).toBeGreaterThan(encoder + decoder + control!);
  });

  test('counts what ControlNets cost: progress grows to 1 and never back', async () => {
    const seen: Progress[] = [];
    await engine.generate(request(two.control.map(controlOf), { plan: { every: 3 } }), {
      onProgress: (progress) => seen.push(progress),
    });
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(1, 6);
    // The last step is not the end of the work: the autoencoder follows.
    const done = seen.filter(({ stage }) => stage === 'denoise').at(-1)!;
    expect(done.fraction).toBeLessThan(1);
  });

  test('at scale 0 is the run without, and elsewhere is not', async () => {
    const plan = { keySteps: [0, 1, 3, 7] };
    const plain = await engine.generate(request([], { task: 'text-to-image', plan }));
    const guided = (scale: number) =>
      engine.generate(request([controlOf({ seed: 11, scale, start: 0, end: 1 })], { plan }));
    expectForward((await guided(0)).latents, plain.latents, 'scale 0');
    expect(difference((await guided(1)).latents, plain.latents).max).toBeGreaterThan(0.01);
  });

  test('of which no step is guided is the run without', async () => {
    const plain = await engine.generate(request([], { task: 'text-to-image' }));
    // Steps are twelfths: none lies between 0.01 and 0.05.
    const silent = await engine.generate(
      request([controlOf({ seed: 11, scale: 1, start: 0.01, end: 0.05 })]),
    );
    expect(silent.receipt).toMatchObject({ controlRuns: 0, controlRunsSaved: 0 });
    expectForward(silent.latents, plain.latents, 'unguided');
  });

  test('guides a picture that is drawn anew as well', async () => {
    const image = controlPicture(3, size.width, size.height);
    const drawn = (control: ControlInput[]) =>
      engine.generate(request(control, { task: 'image-to-image', image, strength: 0.5, latents: undefined }));
    const embeds = async (control: ControlInput[]) => (await drawn(control)).latents;
    const [plain, guided] = [
      await embeds([]),
      await embeds([controlOf({ seed: 11, scale: 1, start: 0, end: 1 })]),
    ];
    expect(difference(guided, plain).max).toBeGreaterThan(0.01);
  });

  test('guides every frame of a video', async () => {
    const video = { frames: 3, fps: 4, motion: { x: 0, y: 0 }, format: 'mp4' as const };
    const drawn = async (control: ControlInput[]) => {
      const given = { task: 'text-to-video', video, latents: undefined, count: 1 } as const;
      const words = { promptEmbeds: undefined, negativePromptEmbeds: undefined, prompt: 'a fox' };
      return engine.generate(request(control, { ...given, ...words, plan: { every: 4 } }));
    };
    const control = (end: number) => [controlOf({ seed: 11, scale: 1, start: 0, end })];
    const [plain, guided, early] = [await drawn([]), await drawn(control(1)), await drawn(control(0.5))];
    expect(guided.pictures).toHaveLength(3);
    for (let i = 0; i < 3; i++) {
      const frame = (x: Float32) => rows(x, i, i + 1);
      expect(difference(frame(guided.latents), frame(plain.latents)).max, `frame ${i}`).toBeGreaterThan(0.01);
    }
    // Half of the run, counted over its courses: fewer runs, and a key step where it ends.
    expect(early.receipt.controlRuns).toBeLessThan(guided.receipt.controlRuns!);
    expect(early.receipt.notices.join()).toMatch(/A ControlNet begins or ends at step/);
  });

  test.each<[string, Partial<ControlInput> | null, string, RegExp]>([
    ['no ControlNet', null, 'invalid_parameter', /reference needs a ControlNet/],
    [
      'a ControlNet of another shape',
      { model: 'test/golden/tiny-controlnet' },
      'invalid_parameter',
      /tiny-controlnet does not fit tiny-sd: text width .* 12, not 32/,
    ],
    ['a model instead of one', { model }, 'checkpoint_unsupported', /is a StableDiffusionPipeline/],
    [
      'a picture of another size',
      { image: controlPicture(1, 16, 16) },
      'invalid_parameter',
      /control\.0\.image/,
    ],
    ['a part of the run that is none', { start: 0.6, end: 0.4 }, 'invalid_parameter', /from 0\.6 to 0\.4/],
    ['a folder that is not there', { model: 'test/golden/none' }, 'checkpoint_not_found', /none/],
  ])('is refused with %s', async (_, change, code, message) => {
    const control = controlOf({ seed: 11, scale: 1, start: 0, end: 1 });
    const given = change === null ? [] : [{ ...control, ...change }];
    await expect(engine.generate(request(given))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('the part of a run that is guided', () => {
  const share = fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));

  test('is one stretch of steps, which lies within start and end', () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 60 }), (each, evaluations) => {
        const on = Array.from({ length: evaluations }, (_, i) => i).filter((i) =>
          guides(i, whole(evaluations), each),
        );
        expect(on).toEqual(on.map((_, i) => on[0]! + i));
        for (const i of on) {
          expect(i / evaluations).toBeGreaterThanOrEqual(each.start);
          expect((i + 1) / evaluations).toBeLessThanOrEqual(each.end);
        }
      }),
    );
    expect(Array.from({ length: 7 }, (_, i) => guides(i, whole(7), { start: 0, end: 1 }))).toEqual(
      Array(7).fill(true),
    );
  });

  test('is counted over all courses of a run', () => {
    // Steps 2 to 4 of ten.
    const guided = (share: { start: number; end: number }) =>
      [0, 1, 2].map((i) => guides(i, { evaluations: 3, from: 2, of: 10 }, share));
    expect(guided({ start: 0.3, end: 1 })).toEqual([false, true, true]);
    expect(guided({ start: 0, end: 0.4 })).toEqual([true, true, false]);
  });

  test('begins and ends at a switch: between two of them nothing changes', () => {
    fc.assert(
      fc.property(
        fc.array(share, { maxLength: 3 }),
        fc.integer({ min: 1, max: 60 }),
        (shares, evaluations) => {
          const switches = new Set(switchesOf(shares, whole(evaluations)));
          for (let i = 1; i < evaluations; i++) {
            const [now, before] = [i, i - 1].map((step) =>
              shares.map((each) => guides(step, whole(evaluations), each)),
            );
            expect(switches.has(i)).toBe(now!.join() !== before!.join());
          }
        },
      ),
    );
  });
});
