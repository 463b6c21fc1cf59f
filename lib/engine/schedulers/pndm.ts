import { z } from 'zod';
import { weightedSum } from '../tensor/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alphaLookup, alphaRun } from './alpha-run.ts';
import { checkSteps, noiseScheduleSchema, parseSchedulerConfig } from './config.ts';
import { noiseSchedule, spacedTimesteps } from './noise-schedule.ts';
import type { Scheduler } from './scheduler.ts';

type Float32 = Tensor<'float32'>;

const schema = z.object({
  ...noiseScheduleSchema.shape,
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  set_alpha_to_one: z.boolean().default(false),
});

/**
 * Pseudo numerical methods (Liu et al., 2022), linear multistep only (PLMS). The second timestep is evaluated twice: a
 * run of N steps makes N + 1 evaluations. diffusers: schedulers/scheduling_pndm.py with `skip_prk_steps`, which every
 * Stable Diffusion sets; the Runge-Kutta start (9 evaluations more) is never run, whatever the setting.
 */
export function pndm(settings: Readonly<Record<string, unknown>>): Scheduler {
  const config = parseSchedulerConfig(schema, settings);
  const trainSteps = config.num_train_timesteps;
  const { alphasCumprod } = noiseSchedule({ ...config, rescale_betas_zero_snr: false });
  const alphaAt = alphaLookup(alphasCumprod, config.set_alpha_to_one ? 1 : alphasCumprod[0]!);

  return {
    name: 'pndm',
    config,
    trainSteps,
    begin({ steps, first = 0 }) {
      checkSteps(steps, first, trainSteps);
      const { timestep_spacing: spacing, steps_offset: offset } = config;
      const spaced = spacedTimesteps(spacing, trainSteps, steps, offset);
      const timesteps = [...spaced.slice(0, 2), ...spaced.slice(1)].slice(first);
      const stride = Math.floor(trainSteps / steps);
      /** Predictions so far, the newest last; at most four. */
      let history: Float32[] = [];
      let start: Float32 | undefined;

      return {
        ...alphaRun(config, timesteps, alphaAt),
        stochastic: false,
        step(prediction, index, sample) {
          let t = timesteps[index]!;
          let next = t - stride;
          if (index === 1 && start !== undefined) {
            // The second evaluation mends the first step: the mean of both predictions, from where it started.
            [t, next] = [t + stride, t];
            const mean = weightedSum([0.5, prediction], [0.5, history.at(-1)!]);
            return transfer(start, mean, t, next);
          }
          history = [...history.slice(-3), prediction];
          if (index === 0) start = sample;
          return transfer(sample, multistep(history), t, next);
        },
      };

      /** Equation 9 of the paper. */
      function transfer(sample: Float32, output: Float32, t: number, next: number): Float32 {
        const [a, b] = [alphaAt(t), alphaAt(next)];
        const epsilon =
          config.prediction_type === 'epsilon'
            ? output
            : weightedSum([Math.sqrt(a), output], [Math.sqrt(1 - a), sample]);
        const denominator = a * Math.sqrt(1 - b) + Math.sqrt(a * (1 - a) * b);
        return weightedSum([Math.sqrt(b / a), sample], [-(b - a) / denominator, epsilon]);
      }
    },
  };
}

/** Adams-Bashforth over as many predictions as there are. */
function multistep(history: readonly Float32[]): Float32 {
  const coefficients = [[1], [3, -1], [23, -16, 5], [55, -59, 37, -9]][history.length - 1]!;
  const total = coefficients.reduce((sum, c) => sum + c, 0);
  const newestFirst = [...history].reverse();
  return weightedSum(...newestFirst.map((output, i) => [coefficients[i]! / total, output] as const));
}
