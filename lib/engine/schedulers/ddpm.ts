import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import { alphaLookup, alphaRun } from './alpha-run.ts';
import { checkSteps, clippingSchema, noiseScheduleSchema, parseSchedulerConfig } from './config.ts';
import { noiseSchedule, spacedTimesteps } from './noise-schedule.ts';
import { clipped } from './prediction.ts';
import type { Scheduler } from './scheduler.ts';

const schema = z.object({
  ...noiseScheduleSchema.shape,
  ...clippingSchema.shape,
  variance_type: z.enum(['fixed_small', 'fixed_small_log', 'fixed_large']).default('fixed_small'),
});

/** Denoising diffusion probabilistic models (Ho et al., 2020, algorithm 2). diffusers: schedulers/scheduling_ddpm.py. */
export function ddpm(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const { alphasCumprod } = noiseSchedule(config);
  const alphaAt = alphaLookup(alphasCumprod, 1);
  return {
    name: 'ddpm',
    config,
    trainSteps,
    begin({ steps, first = 0 }) {
      checkSteps(steps, first, trainSteps);
      const { timestep_spacing: spacing, steps_offset: offset } = config;
      const timesteps = spacedTimesteps(spacing, trainSteps, steps, offset).slice(first);
      const run = alphaRun(config, timesteps, alphaAt);
      return {
        ...run,
        stochastic: true,
        step(prediction, index, sample, noise) {
          const t = timesteps[index]!;
          const [a, aNext] = [alphaAt(t), alphaAt(timesteps[index + 1] ?? -1)];
          // At 1000 of 1000 steps two of them may have no signal.
          const alpha = aNext === 0 ? 1 : a / aNext;
          const beta = 1 - alpha;
          const original = clipped(run.predictOriginal(prediction, index, sample), config);
          // Equation 7: the mean of q(x_next | x_t, x_0).
          const mean = weightedSum(
            [(Math.sqrt(aNext) * beta) / (1 - a), original],
            [(Math.sqrt(alpha) * (1 - aNext)) / (1 - a), sample],
          );
          if (t === 0) return mean;
          const small = Math.max(((1 - aNext) / (1 - a)) * beta, 1e-20);
          const variance = config.variance_type === 'fixed_large' ? beta : small;
          return weightedSum([1, mean], [Math.sqrt(variance), noise()]);
        },
      };
    },
  };
}
