import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import { solve } from '../tensor/linear-system.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseSchedulerConfig } from './config.ts';
import { roundHalfEven } from './noise-schedule.ts';
import type { Scheduler } from './scheduler.ts';
import { sigmaTable } from './sigma-schedule.ts';
import { solverRun, solverSchema } from './solver.ts';

type Float32 = Tensor<'float32'>;
type Term = readonly [weight: number, tensor: Float32];

const schema = z.object({
  ...solverSchema,
  predict_x0: z.boolean().default(true),
  // The others are DPM-Solver's words: diffusers reads them as bh2.
  solver_type: z
    .enum(['bh1', 'bh2', 'midpoint', 'heun', 'logrho'])
    .default('bh2')
    .transform((type) => (type === 'bh1' ? 'bh1' : 'bh2')),
  disable_corrector: z.array(z.int()).max(1000).default([]),
  solver_p: z.null().optional(),
});

/**
 * UniPC (Zhao et al., 2023): a predictor, and a corrector that uses the next prediction to mend the step before it.
 * diffusers: schedulers/scheduling_unipc_multistep.py.
 */
export function unipc(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const table = sigmaTable(config);
  return {
    name: 'unipc',
    config,
    trainSteps,
    begin(options) {
      const run = solverRun(config, table, options, roundHalfEven);
      const { scales, timesteps } = run;
      const { first = 0 } = options;
      /** Outputs (x_0, or eps) so far, the newest first, and the sample and order of the last predictor. */
      let history: Float32[] = [];
      let last: { sample: Float32; order: number } | undefined;

      return {
        ...run,
        stochastic: false,
        step(prediction, index, sample) {
          const { original, epsilon } = run.interpret(prediction, index, sample);
          const output = config.predict_x0 ? original : epsilon;
          const corrects = last !== undefined && !config.disable_corrector.includes(first + index - 1);
          const corrected = corrects ? correct(last!.sample, output, index, last!.order) : sample;

          history = [output, ...history].slice(0, config.solver_order);
          const left = timesteps.length - index;
          const wanted = config.lower_order_final ? Math.min(config.solver_order, left) : config.solver_order;
          const order = Math.min(wanted, history.length);
          last = { sample: corrected, order };
          return predict(corrected, index, order);
        },
      };

      /** UniP of an order: from evaluation `index` to the next. */
      function predict(sample: Float32, index: number, order: number): Float32 {
        const { h, ratios, terms, scale } = transfer(sample, index, index + 1, order);
        const { b, factor } = moments(h, order);
        if (order === 1) return weightedSum(...terms);
        const rhos = order === 2 ? [0.5] : solve(powers(ratios, order - 1), b.slice(0, order - 1));
        return weightedSum(...terms, ...differences(rhos, ratios, -scale * factor));
      }

      /** UniC of an order: the step from `index - 1` again, now that the output at `index` is known. */
      function correct(sample: Float32, output: Float32, index: number, order: number): Float32 {
        const { h, ratios, terms, scale } = transfer(sample, index - 1, index, order);
        const { b, factor } = moments(h, order);
        const rhos = order === 1 ? [0.5] : solve(powers([...ratios, 1], order), b);
        const newest = -scale * factor * rhos.at(-1)!;
        return weightedSum(
          ...terms,
          ...differences(rhos.slice(0, -1), ratios, -scale * factor),
          [newest, output],
          [-newest, history[0]!],
        );
      }

      /** What every order shares: the exponential transfer of the sample, and how far back the history lies. */
      function transfer(sample: Float32, from: number, to: number, order: number) {
        const [s, t] = [scales[from]!, scales[to]!];
        const h = t.lambda - s.lambda;
        const ratios = Array.from(
          { length: order - 1 },
          (_, i) => (scales[from - i - 1]!.lambda - s.lambda) / h,
        );
        const phi = Math.expm1(config.predict_x0 ? -h : h);
        const scale = config.predict_x0 ? t.alpha : t.sigma;
        const kept = config.predict_x0 ? t.sigma / s.sigma : t.alpha / s.alpha;
        const terms: Term[] = [
          [kept, sample],
          [-scale * phi, history[0]!],
        ];
        return { h, ratios, terms, scale };
      }

      /** weight times the sum of rho_k (m_k - m_0) / r_k. */
      function differences(rhos: readonly number[], ratios: readonly number[], weight: number): Term[] {
        return rhos.flatMap((rho, k): Term[] => [
          [(weight * rho) / ratios[k]!, history[k + 1]!],
          [(-weight * rho) / ratios[k]!, history[0]!],
        ]);
      }
    },
  };

  /** The right-hand side b and B(h), section 3.2. */
  function moments(h: number, order: number): { b: number[]; factor: number } {
    const hh = config.predict_x0 ? -h : h;
    const factor = config.solver_type === 'bh1' ? hh : Math.expm1(hh);
    let phi = Math.expm1(hh) / hh - 1;
    let factorial = 1;
    const b: number[] = [];
    for (let i = 1; i <= order; i++) {
      b.push((phi * factorial) / factor);
      factorial *= i + 1;
      phi = phi / hh - 1 / factorial;
    }
    return { b, factor };
  }
}

/** Row k holds r^k of every ratio. */
function powers(ratios: readonly number[], rows: number): number[][] {
  return Array.from({ length: rows }, (_, k) => ratios.map((r) => r ** k));
}
