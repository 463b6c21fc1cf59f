import { z } from 'zod';
import type { SchedulerName } from '../../contracts/generation.ts';
import { weightedSum } from '../tensor/arithmetic.ts';
import { roundHalfEven } from '../tensor/rounding.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseSchedulerConfig } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { sigmaTable } from './sigma-schedule.ts';
import { noInterval, solverRun, solverSchema } from './solver.ts';

type Float32 = Tensor<'float32'>;

const schema = z.object({
  ...solverSchema,
  algorithm_type: z
    .enum(['dpmsolver++', 'sde-dpmsolver++', 'deis'])
    .default('dpmsolver++')
    .transform((type) => (type === 'deis' ? 'dpmsolver++' : type)),
  // The others are UniPC's and DEIS's words: diffusers reads them as midpoint.
  solver_type: z
    .enum(['midpoint', 'heun', 'logrho', 'bh1', 'bh2'])
    .default('midpoint')
    .transform((type) => (type === 'heun' ? 'heun' : 'midpoint')),
  euler_at_final: z.boolean().default(false),
  variance_type: z.null().optional(),
});

/**
 * DPM-Solver++ (Lu et al., 2022), multistep of order 1 to 3, and its SDE variant. Works on x_0 predictions in
 * lambda = log(alpha / sigma). diffusers: schedulers/scheduling_dpmsolver_multistep.py.
 */
export function dpmSolver(name: SchedulerName, settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const table = sigmaTable(config);
  const whole = config.beta_schedule === 'squaredcos_cap_v2' ? Math.floor : roundHalfEven;
  const stochastic = config.algorithm_type === 'sde-dpmsolver++';
  return {
    name,
    config,
    trainSteps,
    begin(options) {
      const run = solverRun(config, table, options, whole);
      const { scales, timesteps } = run;
      /** x_0 predictions so far, the newest first. */
      let history: Float32[] = [];
      return {
        ...run,
        stochastic,
        step(prediction, index, sample, noise) {
          history = [run.interpret(prediction, index, sample).original, ...history].slice(0, 3);
          const left = timesteps.length - index;
          const order = Math.min(orderWith(left, options.steps), history.length);
          const h = scales[index + 1]!.lambda - scales[index]!.lambda;
          if (h < noInterval) return sample;
          // Earlier steps relative to this one, as ratios of lambda.
          const ratios = history.slice(1, order).map((_, i) => {
            return (scales[index - i]!.lambda - scales[index - i - 1]!.lambda) / h;
          });
          const weights = differences(order, ratios, coefficients(h, order));
          const { alpha, sigma } = scales[index + 1]!;
          const decay = (sigma / scales[index]!.sigma) * (stochastic ? Math.exp(-h) : 1);
          const terms = weights.map((weight, i) => [alpha * weight, history[i]!] as const);
          const drawn = stochastic ? ([[sigma * Math.sqrt(-Math.expm1(-2 * h)), noise()]] as const) : [];
          return weightedSum([decay, sample], ...terms, ...drawn);
        },
      };
    },
  };

  /** Short runs end with lower orders; a run that ends at sigma 0 ends with order 1. */
  function orderWith(left: number, steps: number): number {
    const short = config.lower_order_final && steps < 15;
    if (left === 1 && (short || config.euler_at_final || config.final_sigmas_type === 'zero')) return 1;
    if (left === 2 && short) return Math.min(config.solver_order, 2);
    return config.solver_order;
  }

  /** Weights of D0, D1 and D2, the differences of x_0 over lambda, each over alpha of the next step. */
  function coefficients(h: number, order: number): number[] {
    // The SDE has twice the step in every exponential.
    const k = stochastic ? 2 * h : h;
    const first = -Math.expm1(-k);
    if (order === 1) return [first];
    const second = order === 2 && config.solver_type === 'midpoint' ? first / 2 : 1 - first / k;
    if (order === 2) return [first, second];
    return [first, second, stochastic ? (first - k) / k ** 2 - 0.5 : 0.5 - (k - first) / k ** 2];
  }
}

/** D0, D1 and D2 written out: the weights of x_0 predictions, newest first. */
function differences(order: number, [r0 = 1, r1 = 1]: readonly number[], c: readonly number[]): number[] {
  const [c0 = 0, c1 = 0, c2 = 0] = c;
  if (order === 1) return [c0];
  if (order === 2) return [c0 + c1 / r0, -c1 / r0];
  // D1 = D10 + r0 / (r0 + r1) (D10 - D11), D2 = (D10 - D11) / (r0 + r1), D10 = (m0 - m1) / r0, D11 = (m1 - m2) / r1
  const d10 = c1 * (1 + r0 / (r0 + r1)) + c2 / (r0 + r1);
  const d11 = -c1 * (r0 / (r0 + r1)) - c2 / (r0 + r1);
  return [c0 + d10 / r0, -d10 / r0 + d11 / r1, -d11 / r1];
}
