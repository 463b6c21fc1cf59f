import { readFile } from '../disk.ts';
import { basename, join } from '../disk.ts';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { limits, planSchema, tasks } from '../../contracts/generation.ts';
import type { Model } from '../../contracts/models.ts';
import { schedulerOfConfig } from '../../contracts/schedulers.ts';
import type { TaskName } from '../../contracts/task-inputs.ts';
import { unetInputs } from '../../contracts/unet-inputs.ts';
import { frontMatter, readJson } from './read-json.ts';
import { readWeightFacts } from './weight-facts.ts';

const DEFAULT_STEPS = 50;
const DEFAULT_GUIDANCE = 7.5;

const indexSchema = z.looseObject({ _class_name: z.string(), unet: z.tuple([z.string(), z.string()]).optional() });
const latentSide = z.int().min(1).max(limits.maxSide);
const unetSchema = z.looseObject({
  sample_size: z.union([latentSide, z.tuple([latentSide, latentSide])]).nullish(),
  cross_attention_dim: z.union([z.int(), z.array(z.int())]).nullish(),
  in_channels: z.int().nullish(),
  out_channels: z.int().nullish(),
});
const vaeSchema = z.looseObject({
  block_out_channels: z.array(z.int()).min(1).max(8).optional(),
  encoder_block_out_channels: z.array(z.int()).min(1).max(8).optional(),
});
const schedulerConfigSchema = z.looseObject({ _class_name: z.string().optional() });
const promptsSchema = z.looseObject({
  suggestions: z.array(z.string().max(limits.promptLength)).max(1000).default([]),
  words: z.array(z.string().max(200)).max(100_000).default([]),
  defaults: z
    .looseObject({
      steps: z.int().min(1).max(limits.maxSteps).optional(),
      guidanceScale: z.number().min(0).max(50).optional(),
      plan: planSchema.optional(),
    })
    .default({}),
});

/**
 * A diffusers folder as its JSON files and the headers of its weights describe it. Whether the weights are sound is the
 * engine's business.
 * @throws EncoreError `checkpoint_not_found`, `checkpoint_invalid` or `checkpoint_unsupported`, naming the file
 */
export async function readModel(folder: string, source: Model['source']): Promise<Model> {
  const index = await readJson(join(folder, 'model_index.json'), indexSchema);
  if (!index._class_name.startsWith('StableDiffusion')) {
    throw new EncoreError('checkpoint_unsupported', `${folder} is a ${index._class_name}, which cannot be run here.`, {
      remedy: 'Pipelines of Stable Diffusion can.',
    });
  }
  const [unet, vae, scheduler, prompts, card, weights] = await Promise.all([
    readJson(join(folder, 'unet', 'config.json'), unetSchema),
    readJson(join(folder, 'vae', 'config.json'), vaeSchema),
    readJson(join(folder, 'scheduler', 'scheduler_config.json'), schedulerConfigSchema),
    readJson(join(folder, 'prompts.json'), promptsSchema).catch(() => promptsSchema.parse({})),
    readFile(join(folder, 'README.md'), 'utf8').catch(() => ''),
    readWeightFacts(folder).catch(() => null),
  ]);
  const factor = scaleFactor(vae);
  // Both are powers of two.
  const sideMultiple = Math.max(factor, limits.sideMultiple);
  // What a model is asked for by default has to be possible, whatever it was trained at.
  const [height, width] = nativeSide(unet).map((side) =>
    Math.min(Math.max(side * factor, limits.minSide, sideMultiple), limits.maxSide),
  ) as [number, number];
  const { steps, guidanceScale, plan } = prompts.defaults;
  const context = unet.cross_attention_dim ?? null;
  return {
    kind: 'model',
    id: basename(folder),
    name: frontMatter(card, 'title') ?? basename(folder),
    tasks: tasksOf(basename(folder), unet.in_channels ?? 4, unet.out_channels ?? 4),
    licence: frontMatter(card, 'license') ?? 'unknown',
    bytes: weights?.bytes ?? 0,
    source,
    architecture: index.unet?.[1] ?? 'unknown',
    dtype: weights?.dtype ?? null,
    parameters: weights?.parameters ?? null,
    contextSize: Array.isArray(context) ? (context[0] ?? null) : context,
    sha256: null,
    repository: null,
    sideMultiple,
    defaults: {
      width,
      height,
      steps: steps ?? DEFAULT_STEPS,
      guidanceScale: guidanceScale ?? DEFAULT_GUIDANCE,
      scheduler: schedulerOfConfig(scheduler) ?? 'ddim',
      plan: plan ?? 'faster',
    },
    suggestions: prompts.suggestions,
    vocabulary: prompts.words,
  };
}

/**
 * A UNet that also reads a mask and the masked picture does nothing but inpaint.
 * @throws EncoreError `checkpoint_unsupported` for one that reads something else
 */
export function tasksOf(name: string, inChannels: number, outChannels = 4): TaskName[] {
  return unetInputs(name, inChannels, outChannels) === 'masked-latents' ? ['inpaint'] : [...tasks];
}

/** Pixels for one latent, a side: every stage of the autoencoder but the first halves (diffusers: vae_scale_factor). */
export function scaleFactor(vae: z.infer<typeof vaeSchema>): number {
  // AutoencoderTiny names its stages by the encoder.
  const stages = vae.encoder_block_out_channels ?? vae.block_out_channels ?? [0, 0, 0, 0];
  return 2 ** (stages.length - 1);
}

/** Height and width of the latents that the model was trained at. */
function nativeSide({ sample_size }: z.infer<typeof unetSchema>): [number, number] {
  const sample = sample_size ?? 64;
  return Array.isArray(sample) ? sample : [sample, sample];
}
