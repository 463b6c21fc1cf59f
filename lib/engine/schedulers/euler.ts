import { z } from 'zod';
import { scaled, weightedSum } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps, parseSchedulerConfig, type PredictionType, type TimestepSpacing } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { eulerSteps, sigmaScheduleSchema, sigmaTable } from './sigma-schedule.ts';

type Float32 = Tensor<'float32'>;

const schema = z.object({
  ...sigmaScheduleSchema.shape,
  interpolation_type: z.literal('linear').default('linear'),
  timestep_type: z.literal('discrete').default('discrete'),
});

/** Euler steps of the probability flow ODE (Karras et al., 2022, algorithm 2 without churn). diffusers: scheduling_euler_discrete.py. */
export function euler(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const table = sigmaTable(config);
  return {
    name: 'euler',
    config,
    trainSteps,
    begin({ steps, first = 0 }) {
      checkSteps(steps, first, trainSteps);
      const all = eulerSteps(config, table, steps);
      const sigmas = all.sigmas.slice(first);
      const initNoiseSigma = initialSigma(config.timestep_spacing, all.sigmas[0]!);
      const predictOriginal = (prediction: Float32, index: number, sample: Float32) =>
        originalAt(config.prediction_type, prediction, sample, sigmas[index]!);
      return {
        timesteps: all.timesteps.slice(first),
        initNoiseSigma,
        stochastic: false,
        scaleModelInput: (sample, index) => scaled(1 / Math.sqrt(sigmas[index]! ** 2 + 1), sample),
        step(prediction, index, sample) {
          const [sigma, next] = [sigmas[index]!, sigmas[index + 1]!];
          const original = predictOriginal(prediction, index, sample);
          // x + (x - x_0) / sigma (next - sigma)
          return weightedSum([next / sigma, sample], [1 - next / sigma, original]);
        },
        predictOriginal,
        addNoise: (original, noise) => weightedSum([1, original], [sigmas[0]!, noise]),
        priorScale: (index) => Math.sqrt(1 + sigmas[index + 1]! ** 2) / initNoiseSigma,
      };
    },
  };
}

/** Standard deviation of where a whole run starts: of x_0 + sigma eps where the first timestep is not the last of training. */
export function initialSigma(spacing: TimestepSpacing, sigma: number): number {
  return spacing === 'leading' ? Math.sqrt(sigma ** 2 + 1) : sigma;
}

/** x_0 of a prediction made at x / sqrt(sigma^2 + 1), for x = x_0 + sigma eps. */
export function originalAt(
  type: PredictionType,
  prediction: Float32,
  sample: Float32,
  sigma: number,
): Float32 {
  switch (type) {
    case 'epsilon':
      return weightedSum([1, sample], [-sigma, prediction]);
    case 'sample':
      return prediction;
    case 'v_prediction':
      return weightedSum([1 / (sigma ** 2 + 1), sample], [-sigma / Math.sqrt(sigma ** 2 + 1), prediction]);
  }
}
