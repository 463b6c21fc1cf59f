import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import { parseSchedulerConfig } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { sigmaSampler } from './sigma-sampler.ts';
import { sigmaScheduleSchema } from './sigma-schedule.ts';

const schema = z.object({
  ...sigmaScheduleSchema.shape,
  interpolation_type: z.literal('linear').default('linear'),
  timestep_type: z.literal('discrete').default('discrete'),
});

/** Euler steps of the probability flow ODE (Karras et al., 2022, algorithm 2 without churn). diffusers: scheduling_euler_discrete.py. */
export function euler(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  // x + (x - x_0) / sigma (next - sigma)
  return sigmaSampler('euler', config, false, (sample, original, sigma, next) =>
    weightedSum([next / sigma, sample], [1 - next / sigma, original]),
  );
}
