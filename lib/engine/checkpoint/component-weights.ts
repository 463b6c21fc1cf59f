import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { readJsonFile } from './json-file.ts';
import { openSafetensors, type SafetensorsFile } from './safetensors.ts';

/** Shards of the largest public checkpoints number in the tens. */
const maxShards = 1000;

/** Base names that diffusers and transformers save under, and variants in the order they are preferred. */
const baseNames = ['diffusion_pytorch_model', 'model'];
const variants = ['', '.fp16', '.bf16', '.non_ema'];

const shardIndexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens the weights of a component folder: one .safetensors, or the shards its index names; full precision first, then
 * the variants. Throws `checkpoint_unsupported` where there are only pickled weights, `checkpoint_not_found` where
 * there are none, `checkpoint_invalid` where a shard or a tensor of the index is missing.
 */
export async function openComponentWeights(folder: string): Promise<SafetensorsFile[]> {
  const present = new Set(await listFolder(folder));
  for (const variant of variants) {
    for (const base of baseNames) {
      const single = `${base}${variant}.safetensors`;
      if (present.has(single)) return [await openSafetensors(join(folder, single))];
      // Both orders of variant and `index` are in use.
      for (const index of [
        `${base}.safetensors.index${variant}.json`,
        `${base}${variant}.safetensors.index.json`,
      ]) {
        if (present.has(index)) return openShards(folder, index);
      }
    }
  }
  const pickled = [...present].find((name) => /\.(bin|ckpt|pt|pth)$/.test(name));
  if (pickled !== undefined) throw pickledRefused(join(folder, pickled));
  throw new EncoreError('checkpoint_not_found', `${folder} holds no .safetensors weights`, {
    remedy: 'Fetch the component again, with its .safetensors file.',
  });
}

/** Pickled weights can run any program when they are opened. */
export function pickledRefused(
  path: string,
  remedy = 'Fetch the .safetensors variant of the model, or convert it once where you trust it: ' +
    'load it with diffusers and call save_pretrained(folder, safe_serialization=True).',
): EncoreError {
  return new EncoreError(
    'checkpoint_unsupported',
    `${path} is a pickle, which can run code when it is opened`,
    { remedy },
  );
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new EncoreError('checkpoint_not_found', `${folder} is not a folder that can be read`, { cause });
  }
}

async function openShards(folder: string, index: string): Promise<SafetensorsFile[]> {
  const { weight_map } = await readJsonFile(join(folder, index), shardIndexSchema);
  const names = [...new Set(Object.values(weight_map))].sort();
  const where = join(folder, index);
  if (names.length > maxShards)
    throw new EncoreError('checkpoint_invalid', `${where} names ${names.length} shards`);
  for (const name of names) {
    if (!/^[\w.-]+\.safetensors$/.test(name)) {
      throw new EncoreError(
        'checkpoint_invalid',
        `${where}: "${name}" is not the name of a file in this folder`,
      );
    }
  }
  const files = new Map<string, SafetensorsFile>();
  for (const name of names) files.set(name, await openSafetensors(join(folder, name)));
  for (const [tensor, shard] of Object.entries(weight_map)) {
    const file = files.get(shard);
    if (!file?.tensors.has(tensor) && !file?.unsupported.has(tensor)) {
      throw new EncoreError('checkpoint_invalid', `${where}: tensor "${tensor}" is not in ${shard}`);
    }
  }
  return [...files.values()];
}
