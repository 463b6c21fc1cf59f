import { join } from 'node:path';
import { z } from 'zod';
import type { Plan, SchedulerName } from '../../contracts/generation.ts';
import { limits, planSchema } from '../../contracts/generation.ts';
import { schedulerOfConfig } from '../../contracts/schedulers.ts';
import { readJsonFile } from '../checkpoint/json-file.ts';
import { openModel } from '../checkpoint/model-source.ts';
import { parseAutoencoderConfig } from '../networks/vae/config.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { lcm } from './latent-size.ts';

/** What a request leaves out. */
export interface ModelDefaults {
  /** Pixels: the UNet's sample_size times the autoencoder's factor. */
  readonly width: number;
  readonly height: number;
  /** Pixels that every side is a multiple of. */
  readonly sideMultiple: number;
  readonly steps: number;
  readonly guidanceScale: number;
  /** undefined where the model names a class that is not built here: one has to be chosen. */
  readonly scheduler: SchedulerName | undefined;
  readonly plan: Plan;
}

const sampleSizeSchema = z.object({
  sample_size: z.union([z.int().min(1), z.tuple([z.int().min(1), z.int().min(1)])]).nullish(),
});
/** Optional file of a model folder, beside model_index.json. */
const promptsSchema = z.object({
  defaults: z
    .object({
      steps: z.int().min(1).optional(),
      guidanceScale: z.number().min(0).optional(),
      plan: planSchema.optional(),
    })
    .default({}),
});

/** Reads configs only. Throws `checkpoint_not_found`, `checkpoint_invalid`, `checkpoint_unsupported`. */
export async function inspectModel(folder: string): Promise<ModelDefaults> {
  const source = await openModel(folder);
  const unet = sampleSizeSchema.safeParse(await source.config('unet'));
  const { scale } = parseAutoencoderConfig(source.components.get('vae') ?? '', await source.config('vae'));
  const sample = unet.data?.sample_size ?? 64;
  const [height, width] = typeof sample === 'number' ? [sample, sample] : sample;
  const { defaults } = await readJsonFile(join(source.path, 'prompts.json'), promptsSchema).catch(
    (error: unknown) => {
      if (error instanceof EncoreError && error.code === 'checkpoint_not_found')
        return promptsSchema.parse({});
      throw error;
    },
  );
  return {
    width: width * scale,
    height: height * scale,
    sideMultiple: lcm(limits.sideMultiple, scale),
    steps: defaults.steps ?? 50,
    guidanceScale: defaults.guidanceScale ?? 7.5,
    scheduler: schedulerOfConfig(await source.config('scheduler')),
    plan: defaults.plan ?? 'faster',
  };
}
