import { z } from 'zod';
import { noiseScheduleSchema, type TimestepSpacing } from './config.ts';
import { roundHalfEven } from '../tensor/rounding.ts';
import { arange, noiseSchedule } from './noise-schedule.ts';

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
/** A setting that changes the algorithm and is not built here. */
const off = z.literal(false).nullish();

/** Settings of the schedulers that walk through sigma = sqrt((1 - a) / a). */
export const sigmaScheduleSchema = z.object({
  ...noiseScheduleSchema.shape,
  timestep_spacing: noiseScheduleSchema.shape.timestep_spacing.unwrap().default('linspace'),
  use_karras_sigmas: flag,
  use_exponential_sigmas: flag,
  use_beta_sigmas: off,
  use_flow_sigmas: off,
  use_lu_lambdas: off,
  sigma_min: z.number().positive().nullish(),
  sigma_max: z.number().positive().nullish(),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
});
export type SigmaScheduleConfig = z.infer<typeof sigmaScheduleSchema>;

/** Sigmas of the training schedule, ascending. */
export interface SigmaTable {
  readonly sigmas: Float64Array;
  readonly logSigmas: Float64Array;
}

export function sigmaTable(config: SigmaScheduleConfig): SigmaTable {
  const alphasCumprod = Float64Array.from(noiseSchedule(config).alphasCumprod);
  // Zero terminal SNR has an infinite sigma; diffusers takes float16's smallest number for a_T.
  if (config.rescale_betas_zero_snr) alphasCumprod[alphasCumprod.length - 1] = 2 ** -24;
  const sigmas = alphasCumprod.map((a) => Math.sqrt((1 - a) / a));
  return { sigmas, logSigmas: sigmas.map(Math.log) };
}

/** One entry of `sigmas` more than timesteps: where the run ends. */
export interface SigmaSteps {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
}

/** Steps of EulerDiscreteScheduler: timesteps may be fractions. */
export function eulerSteps(config: SigmaScheduleConfig, table: SigmaTable, steps: number): SigmaSteps {
  const timesteps = eulerTimesteps(config, steps);
  const sigmas = timesteps.map((t) => interpolate(t, table.sigmas));
  const respaced = respace(config, sigmas[0]!, sigmas.at(-1)!, steps);
  return {
    timesteps: respaced?.map((sigma) => timestepOf(sigma, table)) ?? timesteps,
    sigmas: [...(respaced ?? sigmas), lastSigma(config, table)],
  };
}

/** Steps of DPMSolverMultistep and UniPC: whole timesteps, of one step more than asked for, the last left out. */
export function solverSteps(
  config: SigmaScheduleConfig,
  table: SigmaTable,
  steps: number,
  whole: (timestep: number) => number,
): SigmaSteps {
  const { sigmas } = table;
  const respaced = respace(config, sigmas.at(-1)!, sigmas[0]!, steps);
  const timesteps =
    respaced?.map((sigma) => whole(timestepOf(sigma, table))) ?? solverTimesteps(config, steps);
  return {
    timesteps,
    sigmas: [...(respaced ?? timesteps.map((t) => interpolate(t, sigmas))), lastSigma(config, table)],
  };
}

function eulerTimesteps(config: SigmaScheduleConfig, steps: number): number[] {
  const { num_train_timesteps: trainSteps, steps_offset: offset } = config;
  const spacings: Record<TimestepSpacing, () => number[]> = {
    linspace: () =>
      Array.from({ length: steps }, (_, i) => ((steps - 1 - i) * (trainSteps - 1)) / Math.max(steps - 1, 1)),
    leading: () =>
      Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(trainSteps / steps) + offset),
    trailing: () => arange(trainSteps, steps).map((t) => roundHalfEven(t) - 1),
  };
  return spacings[config.timestep_spacing]();
}

function solverTimesteps(config: SigmaScheduleConfig, steps: number): number[] {
  const { num_train_timesteps: trainSteps, steps_offset: offset } = config;
  const spacings: Record<TimestepSpacing, () => number[]> = {
    linspace: () =>
      Array.from({ length: steps }, (_, i) => roundHalfEven(((steps - i) * (trainSteps - 1)) / steps)),
    leading: () =>
      Array.from({ length: steps }, (_, i) => (steps - i) * Math.floor(trainSteps / (steps + 1)) + offset),
    trailing: () => arange(trainSteps, steps).map((t) => roundHalfEven(t) - 1),
  };
  return spacings[config.timestep_spacing]();
}

/** Karras et al., 2022, equation 5 with rho = 7, or even steps in log sigma; undefined where neither is wanted. */
function respace(config: SigmaScheduleConfig, from: number, to: number, steps: number): number[] | undefined {
  const [high, low] = [config.sigma_max ?? from, config.sigma_min ?? to];
  const ramp = Array.from({ length: steps }, (_, i) => i / Math.max(steps - 1, 1));
  if (config.use_karras_sigmas) {
    const [a, b] = [high ** (1 / 7), low ** (1 / 7)];
    return ramp.map((r) => (a + r * (b - a)) ** 7);
  }
  if (!config.use_exponential_sigmas) return undefined;
  return ramp.map((r) => Math.exp(Math.log(high) + r * (Math.log(low) - Math.log(high))));
}

function lastSigma({ final_sigmas_type: type }: SigmaScheduleConfig, { sigmas }: SigmaTable): number {
  return type === 'zero' ? 0 : sigmas[0]!;
}

/** numpy's interp over whole positions. */
function interpolate(at: number, values: Float64Array): number {
  const low = Math.min(Math.max(Math.floor(at), 0), values.length - 1);
  const high = Math.min(low + 1, values.length - 1);
  return values[low]! + (Math.min(at, values.length - 1) - low) * (values[high]! - values[low]!);
}

/** The training timestep, a fraction, at which a sigma lies; interpolated in log sigma. */
function timestepOf(sigma: number, { logSigmas }: SigmaTable): number {
  const log = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  while (low < logSigmas.length - 2 && logSigmas[low + 1]! <= log) low++;
  const weight = (logSigmas[low]! - log) / (logSigmas[low]! - logSigmas[low + 1]!);
  return low + Math.min(Math.max(weight, 0), 1);
}

/** Scales of x_0 and of eps at a sigma, for samples of unit variance: alpha = 1 / sqrt(1 + sigma^2). */
export function unitScales(sigma: number): { alpha: number; sigma: number; lambda: number } {
  const alpha = 1 / Math.sqrt(sigma ** 2 + 1);
  // Half the log signal-to-noise ratio; infinite at the end.
  return { alpha, sigma: sigma * alpha, lambda: Math.log(alpha) - Math.log(sigma * alpha) };
}
