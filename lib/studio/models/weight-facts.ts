import { readdir } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { readSafetensorsHeader, type SafetensorsHeader } from './safetensors-header.ts';

/** What the headers of weight files add up to. */
export interface WeightFacts {
  bytes: number;
  /** Of most parameters, as the files name it. */
  dtype: string;
  parameters: number;
}

/**
 * Sums up the weight files of a diffusers folder, or of one component's own folder.
 * @throws EncoreError `checkpoint_invalid` naming the file that is damaged or cut off, `checkpoint_not_found` without any
 */
export async function readWeightFacts(folder: string): Promise<WeightFacts> {
  const files = await weightFiles(folder);
  if (files.length === 0) {
    throw new EncoreError('checkpoint_not_found', `${folder} has no .safetensors files in its component folders.`);
  }
  const headers: SafetensorsHeader[] = [];
  for (const file of files) headers.push(await readSafetensorsHeader(file));
  return weightFacts(headers);
}

export function weightFacts(headers: readonly SafetensorsHeader[]): WeightFacts {
  const byType = new Map<string, number>();
  for (const { tensors } of headers) {
    for (const { dtype, shape } of tensors.values()) {
      const count = shape.reduce((product, n) => product * n, 1);
      byType.set(dtype, (byType.get(dtype) ?? 0) + count);
    }
  }
  const [most] = [...byType].sort(([, a], [, b]) => b - a);
  return {
    bytes: headers.reduce((sum, { bytes }) => sum + bytes, 0),
    dtype: most?.[0] ?? 'unknown',
    parameters: [...byType.values()].reduce((sum, n) => sum + n, 0),
  };
}

/** The folder's own, else `unet/*.safetensors` and so on: one level down, as diffusers lays them out. */
async function weightFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const own = names.filter(isWeights).map((name) => join(folder, name));
  if (own.length > 0 && !names.includes('model_index.json')) return own.sort();
  const lists = await Promise.all(
    names.map(async (name) => {
      const files = await readdir(join(folder, name)).catch(() => []);
      return files.filter(isWeights).map((file) => join(folder, name, file));
    }),
  );
  return lists.flat().sort();
}

export function isWeights(name: string): boolean {
  return name.endsWith('.safetensors');
}
