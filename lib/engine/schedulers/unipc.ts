import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import { solve } from '../tensor/linear-system.ts';
import { roundHalfEven } from '../tensor/rounding.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseSchedulerConfig } from './config.ts';
import type { RunOptions, Scheduler, SchedulerRun } from './scheduler.ts';
import { sigmaTable, type SigmaTable, type unitScales } from './sigma-schedule.ts';
import { noInterval, solverRun, solverSchema } from './solver.ts';

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
type Config = z.infer<typeof schema>;

/**
 * UniPC (Zhao et al., 2023): a predictor, and a corrector that uses the next prediction to mend the step before it.
 * diffusers: schedulers/scheduling_unipc_multistep.py.
 */
export function unipc(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const table = sigmaTable(config);
  return {
    name: 'unipc',
    config,
    trainSteps: config.num_train_timesteps,
    begin: (options) => begin(config, table, options),
  };
}

function begin(config: Config, table: SigmaTable, options: RunOptions): SchedulerRun {
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
      const mends = last !== undefined && !config.disable_corrector.includes(first + index - 1);
      const x = mends
        ? correct(config, intervalAt(scales, index - 1, last!.order), last!.sample, history, output)
        : sample;
      history = [output, ...history].slice(0, config.solver_order);
      const left = timesteps.length - index;
      const wanted = config.lower_order_final ? Math.min(config.solver_order, left) : config.solver_order;
      const order = Math.min(wanted, history.length);
      last = { sample: x, order };
      const interval = intervalAt(scales, index, order);
      return interval.h < noInterval ? x : predict(config, interval, x, history);
    },
  };
}

type Scales = ReturnType<typeof unitScales>;

/** What a step of an order goes over. */
interface Interval {
  readonly order: number;
  readonly from: Scales;
  readonly to: Scales;
  /** Its length in lambda. */
  readonly h: number;
  /** r_k: where the outputs before the newest lie, in lengths of it; `order` - 1 of them, negative. */
  readonly ratios: readonly number[];
}

/** From evaluation `index` to the next. */
function intervalAt(scales: readonly Scales[], index: number, order: number): Interval {
  const [from, to] = [scales[index]!, scales[index + 1]!];
  const h = to.lambda - from.lambda;
  const ratios = Array.from(
    { length: order - 1 },
    (_, i) => (scales[index - i - 1]!.lambda - from.lambda) / h,
  );
  return { order, from, to, h, ratios };
}

/** UniP: the sample at the interval's end. `history`: outputs, that at the interval's start first. */
function predict(config: Config, interval: Interval, sample: Float32, history: readonly Float32[]): Float32 {
  const { order, ratios } = interval;
  const terms = transfer(config, interval, sample, history);
  if (order === 1) return weightedSum(...terms);
  const { b, weight } = moments(config, interval);
  const rhos = order === 2 ? [0.5] : solve(powers(ratios, order - 1), b.slice(0, order - 1));
  return weightedSum(...terms, ...differences(rhos, ratios, weight, history));
}

/** UniC: the same sample once more, now that the output at the interval's end is known. */
function correct(
  config: Config,
  interval: Interval,
  sample: Float32,
  history: readonly Float32[],
  output: Float32,
): Float32 {
  const { order, ratios } = interval;
  const { b, weight } = moments(config, interval);
  const rhos = order === 1 ? [0.5] : solve(powers([...ratios, 1], order), b);
  const newest = weight * rhos.at(-1)!;
  return weightedSum(
    ...transfer(config, interval, sample, history),
    ...differences(rhos.slice(0, -1), ratios, weight, history),
    [newest, output],
    [-newest, history[0]!],
  );
}

/** What every order shares: the exponential transfer of the sample, and of the newest output. */
function transfer(
  { predict_x0: ofOriginal }: Config,
  { from, to, h }: Interval,
  sample: Float32,
  history: readonly Float32[],
): Term[] {
  const phi = Math.expm1(ofOriginal ? -h : h);
  const kept = ofOriginal ? to.sigma / from.sigma : to.alpha / from.alpha;
  return [
    [kept, sample],
    [-(ofOriginal ? to.alpha : to.sigma) * phi, history[0]!],
  ];
}

/** weight times the sum of rho_k (m_k - m_0) / r_k. */
function differences(
  rhos: readonly number[],
  ratios: readonly number[],
  weight: number,
  history: readonly Float32[],
): Term[] {
  return rhos.flatMap((rho, k): Term[] => [
    [(weight * rho) / ratios[k]!, history[k + 1]!],
    [(-weight * rho) / ratios[k]!, history[0]!],
  ]);
}

/** The right-hand side b, section 3.2, and the weight of all differences, which has B(h) in it. */
function moments(
  { predict_x0: ofOriginal, solver_type: type }: Config,
  { order, to, h }: Interval,
): { b: number[]; weight: number } {
  const hh = ofOriginal ? -h : h;
  const factor = type === 'bh1' ? hh : Math.expm1(hh);
  let phi = Math.expm1(hh) / hh - 1;
  let factorial = 1;
  const b: number[] = [];
  for (let i = 1; i <= order; i++) {
    b.push((phi * factorial) / factor);
    factorial *= i + 1;
    phi = phi / hh - 1 / factorial;
  }
  return { b, weight: -(ofOriginal ? to.alpha : to.sigma) * factor };
}

/** Row k holds r^k of every ratio. */
function powers(ratios: readonly number[], rows: number): number[][] {
  return Array.from({ length: rows }, (_, k) => ratios.map((r) => r ** k));
}
