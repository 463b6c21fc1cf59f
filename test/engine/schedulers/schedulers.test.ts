import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { schedulerNames } from '../../../lib/contracts/generation.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { createScheduler, schedulerNameOf, type SchedulerRun } from '../../../lib/engine/schedulers/index.ts';
import { noiseScheduleSchema } from '../../../lib/engine/schedulers/config.ts';
import { noiseSchedule } from '../../../lib/engine/schedulers/noise-schedule.ts';
import { mapped, reshaped, rows, scaled, weightedSum } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';

type Float32 = Tensor<'float32'>;

interface Case {
  case: string;
  scheduler: string;
  config: Record<string, unknown>;
  steps: number;
  first: number;
  options: { eta?: number };
  timesteps: number[];
  initNoiseSigma: number;
  draws: number[];
}

const file = JSON.parse(await readFile('test/golden/schedulers/cases.json', 'utf8')) as {
  alphasCumprod: Record<string, number[]>;
  cases: Case[];
};
const sd = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' };
let traces: Map<string, Tensor>;

beforeAll(async () => {
  traces = await readSafetensors('test/golden/schedulers/traces.safetensors');
});
const trace = (name: string) => traces.get(name) as Float32;
/** Entry i of a stacked tensor. */
const at = (stack: Float32, i: number) => reshaped(rows(stack, i, i + 1), stack.shape.slice(1));

/** The closed-form network of training/golden/schedulers.py. */
const network = (x: Float32, t: number) => mapped(x, (v) => (v / (1 + Math.abs(v))) * (0.4 + t / 1500));

/** Largest difference, relative to the larger of 1 and the expected scale. */
function distance(actual: Float32, expected: Float32): number {
  let largest = 0;
  let scale = 1;
  expected.data.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(actual.data[i]! - value));
    scale = Math.max(scale, Math.abs(value));
  });
  return largest / scale;
}

test.each(Object.entries(file.alphasCumprod))('alphas_cumprod of %s are torch’s', (name, expected) => {
  const settings = {
    scaled_linear: sd,
    linear: {},
    squaredcos_cap_v2: { beta_schedule: 'squaredcos_cap_v2' },
    zero_snr: { ...sd, rescale_betas_zero_snr: true },
  }[name];
  const { alphasCumprod } = noiseSchedule(noiseScheduleSchema.parse(settings));
  [0, 1, 2, 10, 500, 998, 999].forEach((t, i) => {
    expect(Math.abs(alphasCumprod[t]! - expected[i]!)).toBeLessThanOrEqual(1e-6 * expected[i]!);
  });
});

describe('full loops, step by step, against diffusers', () => {
  test.each(file.cases)('$case', ({ case: name, scheduler, config, steps, first, options, ...expected }) => {
    const run = createScheduler({ _class_name: scheduler, ...config }).begin({ steps, first, ...options });
    expect(run.timesteps).toHaveLength(expected.timesteps.length);
    run.timesteps.forEach((t, i) => expect(t).toBeCloseTo(expected.timesteps[i]!, 3));
    expect(run.stochastic).toBe(expected.draws.some((count) => count > 0));
    expect(run.initNoiseSigma / expected.initNoiseSigma).toBeCloseTo(1, 6);

    const initial = trace(`${name}.initial`);
    const started =
      first === 0
        ? scaled(run.initNoiseSigma, trace('start'))
        : run.addNoise(scaled(0.5, trace('start')), trace('added'));
    expect(distance(started, initial)).toBeLessThan(1e-6);

    let x = initial;
    run.timesteps.forEach((t, i) => {
      let draws = 0;
      const input = run.scaleModelInput(x, i);
      // Stored only where the scheduler scales its input.
      const stack = traces.get(`${name}.inputs`) as Float32 | undefined;
      expect(distance(input, stack ? at(stack, i) : x), `input of step ${i}`).toBeLessThan(2e-5);
      x = run.step(network(input, t), i, x, () => {
        draws++;
        return at(trace(`${name}.noise`), i);
      });
      expect(draws, `draws of step ${i}`).toBe(expected.draws[i]);
      expect(distance(x, at(trace(`${name}.latents`), i)), `latents after step ${i}`).toBeLessThan(2e-5);
    });
  });
});

const none = () => {
  throw new Error('no noise was expected');
};
const drawn = (shape: readonly number[]) => () => float32(shape, new Float32Array(4).fill(0.5));

describe.each(schedulerNames)('contract: %s', (name) => {
  const scheduler = createScheduler(sd, name);
  const walk = (run: SchedulerRun, x: Float32) => {
    run.timesteps.forEach((t, i) => {
      x = run.step(network(run.scaleModelInput(x, i), t), i, x, drawn(x.shape));
    });
    return x;
  };
  const start = float32([1, 1, 2, 2], Float32Array.of(0.3, -1.2, 0.7, 2));

  test('timesteps fall, lie within the training schedule and number at least the steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: name === 'lcm' ? 50 : 120 }), (steps) => {
        const { timesteps } = scheduler.begin({ steps });
        expect(timesteps.length).toBeGreaterThanOrEqual(steps);
        timesteps.forEach((t, i) => {
          expect(t).toBeGreaterThanOrEqual(0);
          expect(t).toBeLessThan(1000);
          if (i > 0) expect(t).toBeLessThanOrEqual(timesteps[i - 1]!);
        });
      }),
    );
  });

  test('two runs share nothing: interleaved they give what they give alone', () => {
    const alone = walk(scheduler.begin({ steps: 9 }), start);
    const [a, b] = [scheduler.begin({ steps: 9 }), scheduler.begin({ steps: 9 })];
    let [x, y] = [start, scaled(2, start)];
    a.timesteps.forEach((t, i) => {
      x = a.step(network(a.scaleModelInput(x, i), t), i, x, drawn(x.shape));
      y = b.step(network(b.scaleModelInput(y, i), t), i, y, drawn(y.shape));
    });
    expect(x.data).toEqual(alone.data);
  });

  test('the x_0 of a prediction is finite at every step, for previews', () => {
    const run = scheduler.begin({ steps: 6 });
    run.timesteps.forEach((t, i) => {
      const original = run.predictOriginal(network(run.scaleModelInput(start, i), t), i, start);
      expect(original.data.every(Number.isFinite)).toBe(true);
    });
  });

  test('inputs are not written to, and every result is finite', () => {
    const run = scheduler.begin({ steps: 5 });
    const before = Float32Array.from(start.data);
    const end = walk(run, start);
    expect(start.data).toEqual(before);
    expect(end.data.every(Number.isFinite)).toBe(true);
  });

  test('a skipped or repeated step is refused', () => {
    const run = scheduler.begin({ steps: 5 });
    expect(() => run.step(start, 1, start, none)).toThrow(/step 1/);
    run.step(start, 0, start, drawn(start.shape));
    expect(() => run.step(start, 0, start, none)).toThrow(/step 0/);
  });

  test.each([0, -1, 1.5, 10_000, NaN])('%s steps are refused with the bounds', (steps) => {
    expect(() => scheduler.begin({ steps })).toThrow(
      expect.objectContaining({
        code: 'invalid_parameter',
        message: expect.stringContaining('from 1 to 1000') as string,
      }),
    );
  });

  test('x_0 with noise is at every evaluation what a run that starts there begins with', () => {
    const [original, noise] = [start, scaled(0.4, start)];
    const whole = scheduler.begin({ steps: 10 });
    for (const first of [0, 3, 9]) {
      const later = scheduler.begin({ steps: 10, first });
      expect(later.addNoise(original, noise).data).toEqual(whole.addNoise(original, noise, first).data);
    }
    const none = float32(start.shape);
    const last = whole.timesteps.length - 1;
    // Less and less of the noise is left.
    const noiseAt = (index: number) => Math.abs(whole.addNoise(none, noise, index).data[0]!);
    expect(noiseAt(last)).toBeLessThan(noiseAt(0));
  });

  test('a start past the end is refused', () => {
    expect(() => scheduler.begin({ steps: 5, first: 5 })).toThrow(
      expect.objectContaining({ code: 'invalid_parameter' }),
    );
  });

  test('the prior keeps its share: latents of pure noise scale with priorScale', () => {
    const run = scheduler.begin({ steps: 10 });
    run.timesteps.forEach((_, i) => expect(run.priorScale(i)).toBeGreaterThan(0));
    expect(run.priorScale(run.timesteps.length - 1) * run.initNoiseSigma).toBeLessThan(1.2);
  });
});

test('an unknown class and a setting that cannot be honoured are refused by name', () => {
  expect(() => schedulerNameOf({ _class_name: 'NoSuchScheduler' })).toThrow(/NoSuchScheduler/);
  expect(() => createScheduler({ _class_name: 'DDIMScheduler', beta_schedule: 'sigmoid' })).toThrow(
    expect.objectContaining({
      code: 'checkpoint_unsupported',
      message: expect.stringContaining('"sigmoid"') as string,
    }),
  );
});

test('dynamic noise of a denoised sample is undone: x_0 and eps make x again', () => {
  const x = float32([1, 1, 1, 2], Float32Array.of(0.4, -0.9));
  const v = float32([1, 1, 1, 2], Float32Array.of(-0.2, 0.6));
  const [alpha, sigma] = [Math.sqrt(0.3), Math.sqrt(0.7)];
  const original = weightedSum([alpha, x], [-sigma, v]);
  const epsilon = weightedSum([alpha, v], [sigma, x]);
  expect(distance(weightedSum([alpha, original], [sigma, epsilon]), x)).toBeLessThan(1e-6);
});

test('UniPC counts the steps without its corrector from the noisiest, wherever a run starts', () => {
  const start = float32([1, 1, 2, 2], Float32Array.of(0.3, -1.2, 0.7, 2));
  const end = (disable_corrector: number[]) => {
    const run = createScheduler({ ...sd, disable_corrector }, 'unipc').begin({ steps: 10, first: 4 });
    return run.timesteps.reduce((x, t, i) => run.step(network(x, t), i, x, none), start);
  };
  expect(end([0]).data).toEqual(end([]).data);
  expect(end([4]).data).not.toEqual(end([]).data);
});
