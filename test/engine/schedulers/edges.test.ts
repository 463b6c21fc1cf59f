import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { schedulerNames } from '../../../lib/contracts/schedulers.ts';
import { createScheduler } from '../../../lib/engine/schedulers/index.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';

const one = (value: number): Tensor<'float32'> => float32([1, 1, 1, 1], Float32Array.of(value));

interface Edge {
  name: (typeof schedulerNames)[number];
  settings: Record<string, unknown>;
  steps: number;
  /** Steps left out, as a part of all. */
  part: number;
}

/** Walks a whole run on finite predictions; how it was refused, or whether every sample is a number. */
function walk({ name, settings, steps, part }: Edge): string {
  try {
    const run = createScheduler(settings, name).begin({ steps, first: Math.floor(part * steps) });
    let x = one(0.7 * run.initNoiseSigma);
    run.timesteps.forEach((_, i) => {
      x = run.step(one(Math.sin(i)), i, x, () => one(0.3));
      expect(run.predictOriginal(one(0.1), i, x).data[0]).not.toBeNaN();
    });
    return Number.isFinite(x.data[0]) ? 'finite' : 'not finite';
  } catch (error) {
    if (error instanceof EncoreError) return error.code;
    throw error;
  }
}

const betas = { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012, steps_offset: 1 };

test('any scheduler with any setting and number of steps ends in numbers, or says why it cannot', () => {
  const edges: fc.Arbitrary<Edge> = fc.record({
    name: fc.constantFrom(...schedulerNames),
    settings: fc
      .record({
        timestep_spacing: fc.constantFrom('linspace', 'leading', 'trailing'),
        prediction_type: fc.constantFrom('epsilon', 'v_prediction'),
        rescale_betas_zero_snr: fc.boolean(),
        final_sigmas_type: fc.constantFrom('zero', 'sigma_min'),
        solver_order: fc.integer({ min: 1, max: 3 }),
      })
      .map((settings) => ({ ...betas, ...settings })),
    steps: fc.oneof(
      fc.constantFrom(1, 2, 3, 14, 15, 50, 500, 750, 999, 1000),
      fc.integer({ min: 1, max: 1000 }),
    ),
    part: fc.constantFrom(0, 0, 0.5, 0.999),
  });
  fc.assert(
    fc.property(edges, (edge) => {
      expect(['finite', 'invalid_parameter', 'checkpoint_unsupported']).toContain(walk(edge));
    }),
    { numRuns: 400 },
  );
});

test.each<[string, Edge['name'], Record<string, unknown>, number, string]>([
  [
    'more steps than timesteps for a solver',
    'dpmpp-2m',
    { timestep_spacing: 'leading' },
    1000,
    'invalid_parameter',
  ],
  ['the same for its corrector', 'unipc', { timestep_spacing: 'leading' }, 1000, 'invalid_parameter'],
  [
    'a last step of no length',
    'dpmpp-2m-karras',
    { final_sigmas_type: 'sigma_min', solver_order: 3 },
    20,
    'finite',
  ],
  [
    'noise predicted from noise alone',
    'ddim',
    { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' },
    20,
    'checkpoint_unsupported',
  ],
  [
    'two steps without signal',
    'ddpm',
    { rescale_betas_zero_snr: true, prediction_type: 'v_prediction' },
    1000,
    'finite',
  ],
  ['trained betas of another length', 'ddim', { trained_betas: [0.1, 0.2] }, 2, 'checkpoint_invalid'],
  [
    'trained betas that are none',
    'ddim',
    { trained_betas: [0.1, 5], num_train_timesteps: 2 },
    2,
    'checkpoint_unsupported',
  ],
])('%s', (_, name, settings, steps, outcome) => {
  expect(walk({ name, settings: { ...betas, ...settings }, steps, part: 0 })).toBe(outcome);
});
