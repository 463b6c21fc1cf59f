import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { generationParamsSchema, type GenerationParams, type GenerationRequest, limits, planSchema, tasks } from '../../contracts/generation.ts';
import type { Model } from '../../contracts/models.ts';
import { defaultInjection, resolveSchedule } from '../../contracts/plan.ts';
import { schedulerOfConfig } from '../../contracts/schedulers.ts';

/** A model on this machine and where its folder is. The folder never leaves the server. */
export interface InstalledModel {
  folder: string;
  /** Width and height must be multiples of this: the autoencoder's factor, and the contract's. */
  sideMultiple: number;
  model: Model;
}

const DEFAULT_STEPS = 50;
const DEFAULT_GUIDANCE = 7.5;
/** Configs are a few kB; anything larger is not one. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

const indexSchema = z.looseObject({ _class_name: z.string() });
const unetSchema = z.looseObject({ sample_size: z.union([z.int(), z.tuple([z.int(), z.int()])]).nullish() });
const vaeSchema = z.looseObject({
  block_out_channels: z.array(z.int()).min(1).optional(),
  encoder_block_out_channels: z.array(z.int()).min(1).optional(),
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
 * The models in some folders of diffusers folders. Only their JSON is read: whether the weights are sound is the
 * engine's business. Read anew when a folder's model_index.json changed, so an added model shows up by itself.
 */
export class ModelCatalog {
  readonly #folders: readonly string[];
  readonly #cache = new Map<string, { version: string; entry: Promise<InstalledModel | null> }>();

  /** Where a model was found last, so that asking for one looks at one folder. */
  readonly #places = new Map<string, string>();

  /** Earlier folders win where two models have the same name. */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  async list(): Promise<InstalledModel[]> {
    const found = new Map<string, InstalledModel>();
    for (const parent of this.#folders) {
      for (const name of await subfolders(parent)) {
        const installed = await this.#read(join(parent, name));
        if (installed === null || found.has(name)) continue;
        found.set(name, installed);
        this.#places.set(name, installed.folder);
      }
    }
    return [...found.values()];
  }

  /**
   * A model by its id; without one the first that is installed.
   * @throws EncoreError `unknown_model`
   */
  async get(id?: string): Promise<InstalledModel> {
    const known = id === undefined ? undefined : this.#places.get(id);
    const still = known === undefined ? null : await this.#read(known);
    if (still !== null) return still;
    const installed = await this.list();
    const match = id === undefined ? installed[0] : installed.find(({ model }) => model.id === id);
    if (match !== undefined) return match;
    const names = installed.map(({ model }) => model.id).join(', ') || 'none';
    throw new EncoreError('unknown_model', `There is no model ${id === undefined ? 'installed' : `"${id}"`} (installed: ${names}).`, {
      remedy: 'Choose an installed model, or put a diffusers folder into models/ of the data directory.',
      errors: [{ path: 'model', message: 'is not installed' }],
    });
  }

  async #read(folder: string): Promise<InstalledModel | null> {
    const version = await stat(join(folder, 'model_index.json')).then(
      ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
      () => null,
    );
    if (version === null) return null;
    const cached = this.#cache.get(folder);
    if (cached?.version === version) return cached.entry;
    // A folder that is no model of ours is left out; `encore inspect` says why.
    const entry = readModel(folder).catch(() => null);
    this.#cache.set(folder, { version, entry });
    return entry;
  }
}

async function readModel(folder: string): Promise<InstalledModel | null> {
  const index = await readJson(join(folder, 'model_index.json'), indexSchema);
  if (!index._class_name.startsWith('StableDiffusion')) return null;
  const [unet, vae, scheduler, prompts, card, bytes] = await Promise.all([
    readJson(join(folder, 'unet', 'config.json'), unetSchema),
    readJson(join(folder, 'vae', 'config.json'), vaeSchema),
    readJson(join(folder, 'scheduler', 'scheduler_config.json'), schedulerConfigSchema),
    readJson(join(folder, 'prompts.json'), promptsSchema).catch(() => promptsSchema.parse({})),
    readFile(join(folder, 'README.md'), 'utf8').catch(() => ''),
    weightBytes(folder),
  ]);
  const factor = scaleFactor(vae);
  const [height, width] = nativeSide(unet).map((side) => side * factor) as [number, number];
  const { steps, guidanceScale, plan } = prompts.defaults;
  return {
    folder,
    // Both are powers of two.
    sideMultiple: Math.max(factor, limits.sideMultiple),
    model: {
      id: basename(folder),
      name: frontMatter(card, 'title') ?? basename(folder),
      tasks: [...tasks],
      licence: frontMatter(card, 'license') ?? 'unknown',
      bytes,
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
    },
  };
}

/** Pixels for one latent, a side: every stage of the autoencoder but the first halves (diffusers: vae_scale_factor). */
export function scaleFactor(vae: z.infer<typeof vaeSchema>): number {
  // AutoencoderTiny names its stages by the encoder.
  const stages = vae.encoder_block_out_channels ?? vae.block_out_channels ?? [0, 0, 0, 0];
  return 2 ** (stages.length - 1);
}

/** Height and width of the latents that the model was trained at. */
export function nativeSide({ sample_size }: z.infer<typeof unetSchema>): [number, number] {
  const sample = sample_size ?? 64;
  return Array.isArray(sample) ? sample : [sample, sample];
}

/**
 * The request with everything filled in that it left to the model and to chance.
 * @throws EncoreError `invalid_parameter` when its plan names steps that the run does not have, or its size does not fit
 */
export function fillDefaults(
  request: GenerationRequest,
  { model, sideMultiple }: InstalledModel,
  randomSeed: () => number,
): GenerationParams {
  const { defaults } = model;
  const { injection } = request;
  const steps = request.steps ?? defaults.steps;
  resolveSchedule(request.plan, steps);
  const { width = defaults.width, height = defaults.height } = request;
  expectMultiple({ width, height }, sideMultiple, model.id);
  return generationParamsSchema.parse({
    ...request,
    steps,
    model: model.id,
    width,
    height,
    guidanceScale: request.guidanceScale ?? defaults.guidanceScale,
    scheduler: request.scheduler ?? defaults.scheduler,
    seed: request.seed ?? randomSeed(),
    injection: injection === 'off' ? 0 : (injection ?? defaultInjection(request.plan, steps)),
  });
}

function expectMultiple(sides: { width: number; height: number }, multiple: number, model: string): void {
  const errors = Object.entries(sides)
    .filter(([, side]) => side % multiple !== 0)
    .map(([path, side]) => ({ path, message: `must be a multiple of ${multiple} for ${model}, got ${side}` }));
  if (errors.length === 0) return;
  throw new EncoreError('invalid_parameter', errors.map(({ path, message }) => `${path} ${message}`).join('; '), { errors });
}

async function subfolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

async function weightBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await subfolders(folder)) {
    const files = await readdir(join(folder, name)).catch(() => []);
    for (const file of files.filter((file) => file.endsWith('.safetensors'))) {
      bytes += (await stat(join(folder, name, file))).size;
    }
  }
  return bytes;
}

async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const { size } = await stat(path);
  if (size > MAX_JSON_BYTES) {
    throw new EncoreError('checkpoint_invalid', `${path} has ${size} bytes; a config has at most ${MAX_JSON_BYTES}.`);
  }
  return schema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** A plain `key: value` of a model card's YAML front matter. */
function frontMatter(card: string, key: 'title' | 'license'): string | undefined {
  const block = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1] ?? '';
  const value = new RegExp(`^${key}:[ \\t]*(.+)$`, 'm').exec(block)?.[1];
  return value?.trim().replace(/^(["'])(.*)\1$/, '$2');
}
