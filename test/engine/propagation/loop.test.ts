import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { parseUnetConfig } from '../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../lib/engine/networks/unet/denoiser.ts';
import { denoise, type DenoiseInput } from '../../../lib/engine/propagation/loop.ts';
import { spansOf } from '../../../lib/engine/propagation/plan.ts';
import type { Runtime } from '../../../lib/engine/runtime/session.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { createScheduler, schedulerNameOf } from '../../../lib/engine/schedulers/index.ts';
import { concatRows, reshaped, rows, scaled } from '../../../lib/engine/tensor/arithmetic.ts';
import type { Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { difference, expectTrajectory } from '../../support/parity.ts';

// References: training/golden/traces.py. `exact*` by diffusers' pipeline, `propagated*` by an independent Python loop.

type Float32 = Tensor<'float32'>;

interface Case {
  case: string;
  steps: number;
  guidance: number;
  scheduler: string;
  keySteps?: number[];
  alpha?: number;
}

interface Model {
  denoiser: UnetDenoiser;
  schedulerConfig: Readonly<Record<string, unknown>>;
  tensors: Map<string, Tensor>;
}

const casesOf = async (name: string) =>
  (JSON.parse(await readFile(`test/golden/${name}/reference/traces.json`, 'utf8')) as { cases: Case[] })
    .cases;
const models = ['tiny-sd', 'tiny-sd2', 'tiny-toy'] as const;
const cases = (
  await Promise.all(models.map(async (model) => (await casesOf(model)).map((entry) => ({ model, ...entry }))))
).flat();

let runtime: Runtime;
const opened = new Map<string, Model>();

beforeAll(async () => {
  runtime = await createRuntime({ device: 'cpu' });
  for (const name of models) {
    const source = await openModel(join('test/golden', name));
    const { config, weights } = await source.network('unet');
    opened.set(name, {
      denoiser: new UnetDenoiser(parseUnetConfig(config), weights, (graph) => runtime.open(graph)),
      schedulerConfig: await source.config('scheduler'),
      tensors: await readSafetensors(join('test/golden', name, 'reference/traces.safetensors')),
    });
  }
});
afterAll(async () => {
  for (const { denoiser } of opened.values()) await denoiser.dispose();
  await runtime.dispose();
});

/** Runs a case; `width` steps to a decoder call, with the batch cut to one row where `batch` says so. */
async function play(
  name: string,
  entry: Case,
  width: number,
): Promise<{ trace: Float32[]; calls: string[] }> {
  const { denoiser, schedulerConfig, tensors } = opened.get(name)!;
  const tensor = (key: string) => tensors.get(key) as Float32;
  const { guidance, keySteps, alpha = 0 } = entry;
  const scheduler = createScheduler(schedulerConfig, schedulerNameOf({ _class_name: entry.scheduler }));
  const run = scheduler.begin({ steps: entry.steps });
  const positive = tensor('prompt_embeds');
  const text = guidance > 1 ? concatRows([tensor('negative_prompt_embeds'), positive]) : positive;
  const every = run.timesteps.map((_, i) => i);
  const input: DenoiseInput = {
    denoiser,
    prepared: await denoiser.prepare({ encoderHiddenStates: text }),
    run,
    spans: spansOf(keySteps ?? every, run.timesteps.length, { steps: width, rest: 'together' }),
    latents: scaled(run.initNoiseSigma, tensor('latents')),
    guidanceScale: guidance,
    injection: { alpha, tau: 0.5, trainSteps: 1000 },
    noise: (index) => step(tensor(`${entry.case}.noise`), index),
  };
  const trace: Float32[] = [];
  const calls: string[] = [];
  await denoise(input, {
    onStep: (_, latents) => void trace.push(latents),
    call: (part, steps, work) => {
      calls.push(part === 'encoder' ? 'e' : `d${steps}`);
      return work();
    },
  });
  return { trace, calls };
}

const step = (stack: Float32, i: number) => reshaped(rows(stack, i, i + 1), stack.shape.slice(1));

describe('every step of a run, against Python', () => {
  test.each(cases)('$model $case', async (entry) => {
    const expected = opened.get(entry.model)!.tensors.get(`${entry.case}.latents`) as Float32;
    const { trace } = await play(entry.model, entry, 1);
    expect(trace).toHaveLength(expected.shape[0]!);
    trace.forEach((latents, i) => expectTrajectory(latents, step(expected, i), `latents after step ${i}`));
  });
});

describe('serial and parallel', () => {
  const entry = cases.find((c) => c.model === 'tiny-sd' && c.case === 'propagated-5.0-0.1')!;

  test('equal latents at every width, from the same encoder runs', async () => {
    const serial = await play('tiny-sd', entry, 1);
    expect(serial.calls.join(' ')).toBe('e d1 e d1 d1 e d1 d1 d1 d1 e d1 d1 d1 d1 d1');
    for (const width of [2, 3, 4, 5, 12]) {
      const parallel = await play('tiny-sd', entry, width);
      expect(parallel.calls.filter((call) => call === 'e')).toHaveLength(4);
      expect(Math.max(...parallel.calls.map((call) => Number(call.slice(1) || 0)))).toBe(Math.min(width, 5));
      parallel.trace.forEach((latents, i) => {
        expect(difference(latents, serial.trace[i]!).max, `width ${width}, step ${i}`).toBeLessThan(1e-5);
      });
    }
  });
});
