import { scaled, weightedSum } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps, parseSchedulerConfig } from './config.ts';
import { initialSigma, originalAt } from './euler.ts';
import type { Scheduler } from './scheduler.ts';
import { eulerSteps, sigmaScheduleSchema, sigmaTable } from './sigma-schedule.ts';

type Float32 = Tensor<'float32'>;

/**
 * Euler steps down to less noise than the next sigma has, and fresh noise up to it (k-diffusion's sample_euler_ancestral,
 * eta 1). diffusers: scheduling_euler_ancestral_discrete.py.
 */
export function eulerAncestral(settings: Readonly<Record<string, unknown>>): Scheduler {
  // The class knows no other spacing of sigmas, and always ends at 0.
  const config = parseSchedulerConfig(sigmaScheduleSchema, {
    ...settings,
    use_karras_sigmas: false,
    use_exponential_sigmas: false,
    final_sigmas_type: 'zero',
  });
  const trainSteps = config.num_train_timesteps;
  const table = sigmaTable(config);
  return {
    name: 'euler-a',
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
        stochastic: true,
        scaleModelInput: (sample, index) => scaled(1 / Math.sqrt(sigmas[index]! ** 2 + 1), sample),
        step(prediction, index, sample, noise) {
          const [sigma, next] = [sigmas[index]!, sigmas[index + 1]!];
          const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
          const down = Math.sqrt(next ** 2 - up ** 2);
          const original = predictOriginal(prediction, index, sample);
          return weightedSum([down / sigma, sample], [1 - down / sigma, original], [up, noise()]);
        },
        predictOriginal,
        addNoise: (original, noise) => weightedSum([1, original], [sigmas[0]!, noise]),
        priorScale: (index) => Math.sqrt(1 + sigmas[index + 1]! ** 2) / initNoiseSigma,
      };
    },
  };
}
