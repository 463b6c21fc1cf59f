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
  set_alpha_to_one: z.boolean().default(true),
});

/** Denoising Diffusion Implicit Models (Song et al., 2021, equation 12). diffusers: schedulers/scheduling_ddim.py. */
export function ddim(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const { alphasCumprod } = noiseSchedule(config);
  const alphaAt = alphaLookup(alphasCumprod, config.set_alpha_to_one ? 1 : alphasCumprod[0]!);
  return {
    name: 'ddim',
    config,
    trainSteps,
    begin({ steps, first = 0, eta = 0 }) {
      checkSteps(steps, first, trainSteps);
      const { timestep_spacing: spacing, steps_offset: offset } = config;
      const timesteps = spacedTimesteps(spacing, trainSteps, steps, offset).slice(first);
      const stride = Math.floor(trainSteps / steps);
      const run = alphaRun(config, timesteps, alphaAt);
      return {
        ...run,
        stochastic: eta > 0,
        step(prediction, index, sample, noise) {
          const t = timesteps[index]!;
          const a = alphaAt(t);
          const aNext = alphaAt(t - stride);
          const { original, epsilon } = run.interpret(prediction, index, sample);
          // At 1000 of 1000 steps two of them may have no signal: a / aNext is then no number.
          const deviation = eta === 0 ? 0 : eta * Math.sqrt(((1 - aNext) / (1 - a)) * (1 - a / aNext));
          const next = weightedSum(
            [Math.sqrt(aNext), clipped(original, config)],
            [Math.sqrt(Math.max(1 - aNext - deviation ** 2, 0)), epsilon],
          );
          return eta > 0 ? weightedSum([1, next], [deviation, noise()]) : next;
        },
      };
    },
  };
}
