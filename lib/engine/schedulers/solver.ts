import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps, clippingSchema } from './config.ts';
import { denoised, noised, thresholded, type Denoised } from './prediction.ts';
import type { RunOptions, SchedulerRun } from './scheduler.ts';
import { sigmaScheduleSchema, solverSteps, unitScales, type SigmaTable } from './sigma-schedule.ts';

type Float32 = Tensor<'float32'>;

const { thresholding, dynamic_thresholding_ratio, sample_max_value } = clippingSchema.shape;

/** Settings of the multistep solvers in lambda = log(alpha / sigma). */
export const solverSchema = {
  ...sigmaScheduleSchema.shape,
  thresholding,
  dynamic_thresholding_ratio,
  sample_max_value,
  solver_order: z.int().min(1).max(3).default(2),
  lower_order_final: z.boolean().default(true),
} as const;

type SolverConfig = z.infer<z.ZodObject<typeof solverSchema>>;

/** What the multistep solvers have in common: everything of a run but its steps. */
export interface SolverRun extends Omit<SchedulerRun, 'step' | 'stochastic'> {
  /** By evaluation, and one for where the run ends. */
  readonly scales: readonly ReturnType<typeof unitScales>[];
  /** x_0 (thresholded where that is on) and eps of a prediction. */
  interpret(prediction: Float32, index: number, sample: Float32): Denoised;
}

/**
 * A last step over no more than this in lambda leaves the sample as it is (`final_sigmas_type: sigma_min`, where the last
 * evaluation is at sigma_min already): differences divide by it.
 */
export const noInterval = 1e-9;

/**
 * `whole` rounds timesteps that were spaced by sigma. Throws `invalid_parameter` for more steps than the schedule has
 * timesteps for.
 */
export function solverRun(
  config: SolverConfig,
  table: SigmaTable,
  { steps, first = 0 }: RunOptions,
  whole: (timestep: number) => number,
): SolverRun {
  checkSteps(steps, first, config.num_train_timesteps);
  const all = solverSteps(config, table, steps, whole);
  const scales = all.sigmas.slice(first).map(unitScales);
  if (scales.slice(1, -1).some(({ lambda }, i) => lambda - scales[i]!.lambda < noInterval)) {
    throw new EncoreError(
      'invalid_parameter',
      `${steps} steps with ${config.timestep_spacing} spacing fall on one timestep twice`,
      { remedy: 'Use fewer steps.', errors: [{ path: 'steps', message: 'are too many for this scheduler' }] },
    );
  }
  const read = (prediction: Float32, index: number, sample: Float32) => {
    const { alpha, sigma } = scales[index]!;
    return denoised(config.prediction_type, prediction, sample, alpha, sigma);
  };
  return {
    scales,
    timesteps: all.timesteps.slice(first),
    initNoiseSigma: 1,
    scaleModelInput: (sample) => sample,
    interpret(prediction, index, sample) {
      const { original, epsilon } = read(prediction, index, sample);
      return { original: config.thresholding ? thresholded(original, config) : original, epsilon };
    },
    predictOriginal: (prediction, index, sample) => read(prediction, index, sample).original,
    addNoise(original, noise, index = 0) {
      const { alpha, sigma } = scales[index]!;
      return noised(original, noise, alpha, sigma);
    },
    priorScale: () => 1,
  };
}
