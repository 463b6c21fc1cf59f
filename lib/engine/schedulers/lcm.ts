import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { weightedSum } from '../tensor/arithmetic.ts';
import { alphaLookup, alphaRun } from './alpha-run.ts';
import { checkSteps, clippingSchema, noiseScheduleSchema, parseSchedulerConfig } from './config.ts';
import { noiseSchedule } from './noise-schedule.ts';
import { clipped } from './prediction.ts';
import type { Scheduler } from './scheduler.ts';

const schema = z.object({
  ...noiseScheduleSchema.shape,
  ...clippingSchema.shape,
  beta_start: noiseScheduleSchema.shape.beta_start.unwrap().default(0.00085),
  beta_end: noiseScheduleSchema.shape.beta_end.unwrap().default(0.012),
  beta_schedule: noiseScheduleSchema.shape.beta_schedule.unwrap().default('scaled_linear'),
  clip_sample: z.boolean().default(false),
  original_inference_steps: z.int().min(1).max(1000).default(50),
  timestep_scaling: z.number().positive().default(10),
});

/** sigma_data of the boundary condition, section 4.1. */
const dataSigma = 0.5;

/**
 * Latent Consistency Models (Luo et al., 2023), multistep consistency sampling: x_0 at every step, noised again to the
 * next. The last step draws nothing. diffusers: schedulers/scheduling_lcm.py.
 */
export function lcm(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const alphaAt = alphaLookup(noiseSchedule(config).alphasCumprod, 1);
  return {
    name: 'lcm',
    config,
    trainSteps,
    begin({ steps, first = 0 }) {
      checkSteps(steps, first, trainSteps);
      const timesteps = consistencyTimesteps(trainSteps, config.original_inference_steps, steps).slice(first);
      const run = alphaRun(config, timesteps, alphaAt);
      return {
        ...run,
        stochastic: true,
        step(prediction, index, sample, noise) {
          const scaledTime = timesteps[index]! * config.timestep_scaling;
          const spread = scaledTime ** 2 + dataSigma ** 2;
          const original = clipped(run.predictOriginal(prediction, index, sample), config);
          const consistent = weightedSum(
            [scaledTime / Math.sqrt(spread), original],
            [dataSigma ** 2 / spread, sample],
          );
          const isLast = index + 1 === timesteps.length;
          return isLast ? consistent : run.addNoise(consistent, noise(), index + 1);
        },
      };
    },
  };
}

/** Evenly chosen out of the timesteps that the model was distilled at. */
function consistencyTimesteps(trainSteps: number, originalSteps: number, steps: number): number[] {
  if (steps > originalSteps) {
    throw new EncoreError(
      'invalid_parameter',
      `lcm takes at most ${originalSteps} steps with this model, got ${steps}`,
      {
        remedy: 'Consistency models need 4 to 8.',
      },
    );
  }
  const stride = Math.floor(trainSteps / originalSteps);
  return Array.from({ length: steps }, (_, i) => {
    return (originalSteps - Math.floor((i * originalSteps) / steps)) * stride - 1;
  });
}
