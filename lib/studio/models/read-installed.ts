import { readdir, readFile, stat } from '../disk.ts';
import { basename, join } from '../disk.ts';
import { z } from 'zod';
import { adapterFamilies, type AdapterFamily, describeAdapter } from '../../contracts/adapters.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { limits } from '../../contracts/generation.ts';
import { type Adapter, type Installed, installedSchema, type Model } from '../../contracts/models.ts';
import { preprocessors } from '../../contracts/task-inputs.ts';
import { frontMatter, readJson } from './read-json.ts';
import { readModel, tasksOf } from './read-model.ts';
import { readSafetensorsHeader, type SafetensorsHeader } from './safetensors-header.ts';
import { isWeights, readWeightFacts, type WeightFacts, weightFacts } from './weight-facts.ts';

/** Something installed and where it lies. The path never leaves the server. */
export interface Found<Item extends Installed = Installed> {
  /** Folder in diffusers layout, or one .safetensors file. */
  path: string;
  item: Item;
}

type Source = Model['source'];

/** Left in a folder that was fetched from a hub. */
export const ORIGIN_FILE = 'encore.json';
export const originSchema = z.object({
  repository: z.string(),
  revision: z.string(),
  commit: z.string(),
  /** What was fetched. */
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string().nullable() })),
});

/**
 * A folder or file as its configs and the headers of its weights describe it. Whether the weights are sound is the
 * engine's business.
 * @throws EncoreError `checkpoint_not_found`, `checkpoint_invalid` or `checkpoint_unsupported` with the reason
 */
export async function readInstalled(path: string, source: Source): Promise<Found> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `${path} cannot be read.`, { cause });
  });
  if (!info.isFile() && !info.isDirectory())
    throw new EncoreError('checkpoint_not_found', `${path} is neither a folder nor a file.`);
  const found = info.isFile() ? await readFileOf(path, nameOf(path), source) : await readHome(path, source);
  // The last word on what a stranger's file claims: nothing goes into the list that its readers do not expect.
  const read = installedSchema.safeParse({
    ...found.item,
    name: found.item.name.slice(0, MAX_WORDS),
    licence: found.item.licence.slice(0, MAX_WORDS),
  });
  if (read.success) return { path: found.path, item: read.data };
  throw new EncoreError(
    'checkpoint_invalid',
    `${path} says of itself what cannot be: ${z.prettifyError(read.error)}`,
    { cause: read.error },
  );
}

/** Characters of a name or a licence. */
const MAX_WORDS = 200;

async function readHome(path: string, source: Source): Promise<Found> {
  const origin = await readJson(join(path, ORIGIN_FILE), originSchema).catch(() => null);
  const found = await readFolder(path, origin === null ? source : 'hub');
  return { path: found.path, item: { ...found.item, repository: origin?.repository ?? null } };
}

async function readFolder(path: string, source: Source): Promise<Found> {
  const names = await readdir(path);
  if (names.includes('model_index.json')) return { path, item: await readModel(path, source) };
  if (names.includes('config.json')) return { path, item: await readNetwork(path, source) };
  const files = names.filter(isWeights);
  const [file] = files;
  if (file !== undefined && files.length === 1) {
    // A file in a folder of its own, beside its licence or where it came from.
    const { path: inside, item } = await readFileOf(join(path, file), basename(path), source);
    const card = await readCard(path);
    return { path: inside, item: { ...item, licence: frontMatter(card, 'license') ?? item.licence } };
  }
  const holds = files.length > 1 ? `${files.length} .safetensors files` : 'no model';
  throw new EncoreError('checkpoint_not_found', `${path} holds ${holds}.`, {
    remedy: 'Name a folder in the layout of diffusers, or one .safetensors file.',
  });
}

/** What a .safetensors file is follows from the names and shapes of its tensors. */
async function readFileOf(path: string, id: string, source: Source): Promise<Found> {
  if (!isWeights(path)) {
    const pickled = /\.(bin|ckpt|pt|pth)$/.test(path);
    throw new EncoreError(
      'checkpoint_unsupported',
      `${path} is ${pickled ? 'a pickled file, which may run programs when it is read' : 'no .safetensors file'}.`,
      { remedy: 'Use it in the safetensors format.' },
    );
  }
  const header = await readSafetensorsHeader(path);
  const read = [readControlNetFile, readAdapterFile, readCheckpointFile];
  for (const kind of read) {
    const item = kind(path, id, header, source);
    if (item !== null) return { path, item };
  }
  throw new EncoreError(
    'checkpoint_unsupported',
    `${path} is no checkpoint, ControlNet, LoRA or embedding: its first tensor is ${header.tensors.keys().next().value ?? 'missing'}.`,
  );
}

/** Whether it fits an installed model is asked by its context size; the families that never fit are refused by name. */
function readAdapterFile(path: string, id: string, header: SafetensorsHeader, source: Source): Adapter | null {
  const { tensors, metadata } = header;
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const info = describeAdapter({ tensors: shapes, metadata }, nameOf(path));
  if (info === null) return null;
  if (info.family !== null && !usable.includes(info.family)) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${path} is ${info.kind === 'lora' ? 'a LoRA' : 'an embedding'} for ${adapterFamilies[info.family]}, which cannot be run here.`,
      { remedy: 'Use one for Stable Diffusion 1.x or 2.x.' },
    );
  }
  return {
    ...adapterOf(info.kind, id, header, source),
    name: info.name,
    contextSize: contextSizeOf(shapes, info.kind),
    base: info.base ?? info.family,
    triggers: info.triggers.slice(0, 20),
    rank: info.rank,
    dialect: info.dialect,
  };
}

const usable: readonly AdapterFamily[] = ['sd1', 'sd2'];

/** Width of the text states: what attn2's keys are made of, or a vector of an embedding. */
function contextSizeOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  kind: 'lora' | 'embedding',
): number | null {
  for (const [name, shape] of shapes) {
    if (kind === 'embedding') return shape.at(-1) ?? null;
    if (/attn2[._](processor\.)?to_k.*(lora_down|lora_A|lora\.down|_lora\.down|hada_w1_b)/.test(name))
      return shape[1] ?? null;
  }
  return null;
}

const networkConfigSchema = z.looseObject({
  _class_name: z.string().optional(),
  cross_attention_dim: z.union([z.int(), z.array(z.int())]).nullish(),
});

/** Networks that are installed by themselves, by their classes. */
const kindOfClass: Readonly<Record<string, Adapter['kind'] | undefined>> = {
  ControlNetModel: 'controlnet',
  MotionAdapter: 'motion',
};

async function readNetwork(folder: string, source: Source): Promise<Adapter> {
  const config = await readJson(join(folder, 'config.json'), networkConfigSchema);
  const kind = kindOfClass[config._class_name ?? ''];
  if (kind === undefined) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${folder} is a ${config._class_name ?? 'network without a class'}, not a whole model.`,
      {
        remedy: `${Object.keys(kindOfClass).join(' and ')} can be installed by themselves; everything else comes as a whole model.`,
      },
    );
  }
  const [weights, card] = [await readWeightFacts(folder).catch(() => null), await readCard(folder)];
  const context = config.cross_attention_dim ?? null;
  return {
    ...adapter(kind, basename(folder), weights, source),
    name: frontMatter(card, 'title') ?? basename(folder),
    licence: frontMatter(card, 'license') ?? 'unknown',
    contextSize: Array.isArray(context) ? (context[0] ?? null) : context,
    preprocessor: kind === 'controlnet' ? preprocessorOf(basename(folder)) : null,
  };
}

/** In diffusers' names, or in those of the original code, with its prefix or without. */
function readControlNetFile(
  _path: string,
  id: string,
  header: SafetensorsHeader,
  source: Source,
): Adapter | null {
  const names = [...header.tensors.keys()];
  const isControlNet = names.some((name) =>
    /^(control_model\.)?input_hint_block\.|^controlnet_cond_embedding\./.test(name),
  );
  if (!isControlNet) return null;
  const key = names.find((name) => /attn2\.to_k\.weight$/.test(name));
  return {
    ...adapterOf('controlnet', id, header, source),
    contextSize: (key === undefined ? undefined : header.tensors.get(key)?.shape[1]) ?? null,
    preprocessor: preprocessorOf(id),
  };
}

/** SD 1.x and 2.x as the original code saves them, with text encoder and autoencoder. */
function readCheckpointFile(
  path: string,
  id: string,
  header: SafetensorsHeader,
  source: Source,
): Model | null {
  const { tensors, metadata } = header;
  const has = (prefix: string) => [...tensors.keys()].some((name) => name.startsWith(prefix));
  if (!has('model.diffusion_model.')) return null;
  const missing = [
    ...(has('first_stage_model.') ? [] : ['autoencoder']),
    ...(has('cond_stage_model.') ? [] : ['text encoder']),
  ];
  const xl = has('conditioner.embedders.');
  if (xl || missing.length > 0) {
    throw new EncoreError(
      'checkpoint_unsupported',
      xl
        ? `${path} is a Stable Diffusion XL checkpoint, which cannot be run here.`
        : `${path} has no ${missing.join(' and no ')}.`,
      { remedy: 'Use a whole checkpoint of Stable Diffusion 1.x or 2.x.' },
    );
  }
  const weights = weightFacts([header]);
  const prefix = 'model.diffusion_model.input_blocks';
  const contextSize =
    tensors.get(`${prefix}.1.1.transformer_blocks.0.attn2.to_k.weight`)?.shape[1] ?? null;
  const channels = tensors.get(`${prefix}.0.0.weight`)?.shape[1];
  // SD 2.x that reads four channels was trained at 768; its other models and SD 1.x at 512.
  const side = contextSize === 1024 && channels === 4 ? 768 : 512;
  return {
    kind: 'model',
    id,
    name: metadata['modelspec.title'] ?? id,
    tasks: tasksOf(id, channels ?? 4),
    licence: metadata['modelspec.license'] ?? 'unknown',
    bytes: weights.bytes,
    source,
    architecture: 'UNet2DConditionModel',
    dtype: weights.dtype,
    parameters: weights.parameters,
    contextSize,
    sha256: null,
    repository: null,
    sideMultiple: limits.sideMultiple,
    defaults: {
      width: side,
      height: side,
      steps: 50,
      guidanceScale: 7.5,
      scheduler: 'ddim',
      plan: 'faster',
    },
    suggestions: [],
    vocabulary: [],
  };
}

function adapterOf(
  kind: Adapter['kind'],
  id: string,
  header: SafetensorsHeader,
  source: Source,
): Adapter {
  return {
    ...adapter(kind, id, weightFacts([header]), source),
    name: header.metadata['modelspec.title'] ?? id,
    licence: header.metadata['modelspec.license'] ?? 'unknown',
  };
}

/** What is known of any adapter. @param weights null where they cannot be read */
function adapter(kind: Adapter['kind'], id: string, weights: WeightFacts | null, source: Source): Adapter {
  return {
    kind,
    id,
    name: id,
    licence: 'unknown',
    bytes: weights?.bytes ?? 0,
    source,
    dtype: weights?.dtype ?? null,
    parameters: weights?.parameters ?? null,
    contextSize: null,
    sha256: null,
    repository: null,
    base: null,
    triggers: [],
    rank: null,
    dialect: null,
    preprocessor: null,
  };
}

/** ControlNets say in their name what they were trained on: `control_v11p_sd15_canny`, `sd-controlnet-scribble`. */
function preprocessorOf(id: string): Adapter['preprocessor'] {
  return preprocessors.find((name) => id.toLowerCase().includes(name)) ?? null;
}

function nameOf(path: string): string {
  return basename(path).replace(/\.safetensors$/, '');
}

function readCard(folder: string): Promise<string> {
  return readFile(join(folder, 'README.md'), 'utf8').catch(() => '');
}
