import { weightedSum } from '../tensor/arithmetic.ts';
import { parseSchedulerConfig } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { sigmaSampler } from './sigma-sampler.ts';
import { sigmaScheduleSchema } from './sigma-schedule.ts';

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
  return sigmaSampler('euler-a', config, true, (sample, original, sigma, next, noise) => {
    const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
    const down = Math.sqrt(next ** 2 - up ** 2);
    return weightedSum([down / sigma, sample], [1 - down / sigma, original], [up, noise()]);
  });
}
