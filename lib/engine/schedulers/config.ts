import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { limits } from '../../contracts/generation.ts';

/** What every scheduler_config.json has in common, with diffusers' defaults. Unknown keys are other classes' business. */
export const noiseScheduleSchema = z.object({
  num_train_timesteps: z.int().min(1).max(100_000).default(1000),
  beta_start: z.number().positive().max(1).default(0.0001),
  beta_end: z.number().positive().max(1).default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.array(z.number().positive().max(1)).min(1).max(100_000).nullish(),
  rescale_betas_zero_snr: z.boolean().default(false),
  prediction_type: z.enum(['epsilon', 'sample', 'v_prediction']).default('epsilon'),
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).default('leading'),
  steps_offset: z.int().min(0).max(1000).default(0),
});
export type NoiseScheduleConfig = z.infer<typeof noiseScheduleSchema>;
export type PredictionType = NoiseScheduleConfig['prediction_type'];
export type TimestepSpacing = NoiseScheduleConfig['timestep_spacing'];

/** Limits on the predicted x_0, as DDIM and DDPM have them; off where a class defaults to off. */
export const clippingSchema = z.object({
  clip_sample: z.boolean().default(true),
  clip_sample_range: z.number().positive().default(1),
  thresholding: z.boolean().default(false),
  dynamic_thresholding_ratio: z.number().min(0).max(1).default(0.995),
  sample_max_value: z.number().min(1).default(1),
});
export type ClippingConfig = z.infer<typeof clippingSchema>;

/** Parses the settings a class reads. Throws `checkpoint_unsupported` naming the key and its value. */
export function parseSchedulerConfig<T>(schema: z.ZodType<T>, config: Readonly<Record<string, unknown>>): T {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.map(String).join('.') ?? '';
  const value = JSON.stringify(issue?.path.reduce<unknown>((at, step) => (at as never)?.[step], config));
  throw new EncoreError(
    'checkpoint_unsupported',
    `scheduler_config.json: ${key} = ${value ?? 'missing'}: ${issue?.message ?? 'not supported'}`,
    { remedy: 'Choose another scheduler, or correct the setting.' },
  );
}

/** Throws `invalid_parameter` where a schedule of `trainSteps` cannot be cut into `steps`, or `first` leaves none. */
export function checkSteps(steps: number, first: number, trainSteps: number): void {
  const most = Math.min(limits.maxSteps, trainSteps);
  if (!Number.isInteger(steps) || steps < 1 || steps > most) {
    throw new EncoreError(
      'invalid_parameter',
      `steps must be a whole number from 1 to ${most}, got ${steps}`,
    );
  }
  if (!Number.isInteger(first) || first < 0 || first >= steps) {
    throw new EncoreError('invalid_parameter', `a run of ${steps} steps cannot start at step ${first}`);
  }
}
