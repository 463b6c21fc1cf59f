import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { openComponentWeights, pickledRefused } from './component-weights.ts';
import { readJsonFile } from './json-file.ts';
import type { ModelSource, NetworkSource } from './model.ts';
import { openSingleFile } from './single-file/open.ts';
import { weightsOf } from './weight-map.ts';

export type { ModelSource, NetworkSource } from './model.ts';

const objectSchema = z.record(z.string(), z.unknown());
const modelIndexSchema = objectSchema.and(z.object({ _class_name: z.string() }));
const componentSchema = z.tuple([z.string().nullable(), z.string().nullable()]);
const configNames = [
  'config.json',
  'scheduler_config.json',
  'tokenizer_config.json',
  'preprocessor_config.json',
];

/**
 * Opens a diffusers folder (model_index.json), one component's own folder (config.json), or a whole checkpoint in one
 * .safetensors file. Throws `checkpoint_not_found`, `checkpoint_invalid`, `checkpoint_unsupported`.
 */
export async function openModel(path: string): Promise<ModelSource> {
  const { real, isDirectory } = await resolvePath(path);
  if (!isDirectory) return openFile(path, real);
  const names = await readdir(real);
  if (names.includes('model_index.json')) return openDiffusersFolder(real);
  if (names.includes('config.json')) return openComponentFolder(real);
  throw new EncoreError('checkpoint_not_found', `${path} holds neither model_index.json nor config.json`, {
    remedy: 'Name a diffusers folder, or the folder of one of its components.',
  });
}

async function resolvePath(path: string): Promise<{ real: string; isDirectory: boolean }> {
  try {
    const real = await realpath(path);
    return { real, isDirectory: (await stat(real)).isDirectory() };
  } catch (cause) {
    throw new EncoreError('checkpoint_not_found', `${path} does not exist`, {
      cause,
      remedy: 'Check the path.',
    });
  }
}

function openFile(path: string, real: string): Promise<ModelSource> {
  if (path.endsWith('.safetensors')) return openSingleFile(real);
  if (/\.(bin|ckpt|pt|pth)$/.test(path)) throw pickledRefused(path);
  throw new EncoreError('checkpoint_unsupported', `${path} is no model`, {
    remedy: 'Name a diffusers folder, or a checkpoint in one .safetensors file.',
  });
}

async function openDiffusersFolder(root: string): Promise<ModelSource> {
  const indexPath = join(root, 'model_index.json');
  const index = await readJsonFile(indexPath, modelIndexSchema);
  const components = new Map<string, string>();
  for (const [name, value] of Object.entries(index)) {
    const parsed = componentSchema.safeParse(value);
    // Scalars are pipeline options; [null, null] is a component that was left out.
    if (!parsed.success || parsed.data[1] === null) continue;
    if (!/^\w+$/.test(name)) {
      throw new EncoreError('checkpoint_invalid', `${indexPath}: "${name}" cannot be the name of a folder`);
    }
    components.set(name, parsed.data[1]);
  }
  const folder = (name: string) => {
    if (!components.has(name)) {
      throw new EncoreError('checkpoint_invalid', `${indexPath} names no "${name}"`, {
        remedy: `It has ${[...components.keys()].join(', ') || 'no components'}.`,
      });
    }
    return join(root, name);
  };
  return {
    path: root,
    layout: 'diffusers',
    className: index._class_name,
    index,
    components,
    folder,
    config: async (name) => readConfig(folder(name)),
    network: async (name) => openNetwork(name, folder(name), components.get(name)),
  };
}

async function openComponentFolder(root: string): Promise<ModelSource> {
  const config = await readConfig(root);
  const name = basename(root);
  const className = classOf(config) ?? 'unknown';
  return {
    path: root,
    layout: 'component',
    className,
    index: {},
    components: new Map([[name, className]]),
    folder: () => root,
    config: () => Promise.resolve(config),
    network: (wanted) => openNetwork(wanted, root, undefined),
  };
}

async function openNetwork(
  name: string,
  folder: string,
  indexClass: string | undefined,
): Promise<NetworkSource> {
  const config = await readConfig(folder);
  const files = await openComponentWeights(folder);
  const className = indexClass ?? classOf(config) ?? 'unknown';
  return { name, className, config, weights: weightsOf(folder, files), files };
}

async function readConfig(folder: string): Promise<Record<string, unknown>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new EncoreError('checkpoint_not_found', `${folder} is missing`, {
      cause,
      remedy: 'The model folder is incomplete: fetch it again.',
    });
  }
  const found = configNames.find((name) => names.includes(name));
  return readJsonFile(join(folder, found ?? 'config.json'), objectSchema);
}

/** diffusers writes `_class_name`, transformers `architectures`. */
function classOf(config: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof config._class_name === 'string') return config._class_name;
  const first: unknown = Array.isArray(config.architectures) ? config.architectures[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}
