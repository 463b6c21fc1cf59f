import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps, clippingSchema, noiseScheduleSchema, parseSchedulerConfig } from './config.ts';
import { noiseSchedule, spacedTimesteps } from './noise-schedule.ts';
import { clipped, denoised, noised } from './prediction.ts';
import type { Scheduler } from './scheduler.ts';

type Float32 = Tensor<'float32'>;

const schema = z.object({
  ...noiseScheduleSchema.shape,
  ...clippingSchema.shape,
  set_alpha_to_one: z.boolean().default(true),
});

/** Denoising Diffusion Implicit Models (Song et al., 2021, equation 12). diffusers: schedulers/scheduling_ddim.py. */
export function ddim(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const { alphasCumprod } = noiseSchedule(config);
  const finalAlpha = config.set_alpha_to_one ? 1 : alphasCumprod[0]!;

  return {
    name: 'ddim',
    config,
    trainSteps,
    begin({ steps, first = 0, eta = 0 }) {
      checkSteps(steps, first, trainSteps);
      const { timestep_spacing: spacing, steps_offset: offset } = config;
      const timesteps = spacedTimesteps(spacing, trainSteps, steps, offset).slice(first);
      const stride = Math.floor(trainSteps / steps);
      const alphaAt = (t: number) => (t >= 0 ? alphasCumprod[Math.min(t, trainSteps - 1)]! : finalAlpha);

      const interpret = (prediction: Float32, t: number, sample: Float32) => {
        const a = alphaAt(t);
        return denoised(config.prediction_type, prediction, sample, Math.sqrt(a), Math.sqrt(1 - a));
      };

      return {
        timesteps,
        initNoiseSigma: 1,
        stochastic: eta > 0,
        scaleModelInput: (sample) => sample,
        step(prediction, index, sample, noise) {
          const t = timesteps[index]!;
          const a = alphaAt(t);
          const aNext = alphaAt(t - stride);
          const { original, epsilon } = interpret(prediction, t, sample);
          const deviation = eta * Math.sqrt(((1 - aNext) / (1 - a)) * (1 - a / aNext));
          const next = weightedSum(
            [Math.sqrt(aNext), clipped(original, config)],
            [Math.sqrt(Math.max(1 - aNext - deviation ** 2, 0)), epsilon],
          );
          return eta > 0 ? weightedSum([1, next], [deviation, noise()]) : next;
        },
        predictOriginal: (prediction, index, sample) =>
          interpret(prediction, timesteps[index]!, sample).original,
        addNoise(original, noise, index = 0) {
          const a = alphaAt(timesteps[index]!);
          return noised(original, noise, Math.sqrt(a), Math.sqrt(1 - a));
        },
        priorScale: () => 1,
      };
    },
  };
}
