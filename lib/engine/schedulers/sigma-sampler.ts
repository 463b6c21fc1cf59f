import { scaled, weightedSum } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps, type PredictionType, type TimestepSpacing } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { eulerSteps, sigmaTable, type SigmaScheduleConfig } from './sigma-schedule.ts';

type Float32 = Tensor<'float32'>;

/** One step of x = x_0 + sigma eps, from sigma to next; `noise` is drawn only where it is called. */
export type SigmaStep = (
  sample: Float32,
  original: Float32,
  sigma: number,
  next: number,
  noise: () => Float32,
) => Float32;

/** What the one-step samplers in sigma have in common: everything but the step itself. */
export function sigmaSampler(
  name: Scheduler['name'],
  config: SigmaScheduleConfig,
  stochastic: boolean,
  step: SigmaStep,
): Scheduler {
  const trainSteps = config.num_train_timesteps;
  const table = sigmaTable(config);
  return {
    name,
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
        stochastic,
        scaleModelInput: (sample, index) => scaled(1 / Math.sqrt(sigmas[index]! ** 2 + 1), sample),
        step: (prediction, index, sample, noise) =>
          step(sample, predictOriginal(prediction, index, sample), sigmas[index]!, sigmas[index + 1]!, noise),
        predictOriginal,
        addNoise: (original, noise, index = 0) => weightedSum([1, original], [sigmas[index]!, noise]),
        priorScale: (index) => Math.sqrt(1 + sigmas[index + 1]! ** 2) / initNoiseSigma,
      };
    },
  };
}

/** Standard deviation of where a whole run starts: of x_0 + sigma eps where the first timestep is not the last of training. */
function initialSigma(spacing: TimestepSpacing, sigma: number): number {
  return spacing === 'leading' ? Math.sqrt(sigma ** 2 + 1) : sigma;
}

/** x_0 of a prediction made at x / sqrt(sigma^2 + 1), for x = x_0 + sigma eps. */
function originalAt(type: PredictionType, prediction: Float32, sample: Float32, sigma: number): Float32 {
  switch (type) {
    case 'epsilon':
      return weightedSum([1, sample], [-sigma, prediction]);
    case 'sample':
      return prediction;
    case 'v_prediction':
      return weightedSum([1 / (sigma ** 2 + 1), sample], [-sigma / Math.sqrt(sigma ** 2 + 1), prediction]);
  }
}
