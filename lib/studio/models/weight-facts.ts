import { open, readdir, stat } from '../disk.ts';
import { join } from '../disk.ts';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';

/** What the headers of safetensors files say; no weight is read. */
export interface WeightFacts {
  bytes: number;
  /** Of most parameters, as the files name it. */
  dtype: string;
  parameters: number;
}

/** Headers of the largest models have some MB; more is not a header. */
const MAX_HEADER_BYTES = 100 * 1024 * 1024;
const headerSchema = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.string().max(16),
      shape: z.array(z.int().min(0)).max(16),
      data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
    }),
    z.record(z.string(), z.string()),
  ]),
);

/**
 * Sums up the weight files of a diffusers folder.
 * @throws EncoreError `checkpoint_invalid` naming the file that is damaged or cut off, `checkpoint_not_found` without any
 */
export async function readWeightFacts(folder: string): Promise<WeightFacts> {
  const files = await weightFiles(folder);
  if (files.length === 0) {
    throw new EncoreError('checkpoint_not_found', `${folder} has no .safetensors files in its component folders.`);
  }
  const byType = new Map<string, number>();
  let bytes = 0;
  for (const file of files) {
    const { size } = await stat(file);
    bytes += size;
    for (const { dtype, count } of await readHeader(file, size)) {
      byType.set(dtype, (byType.get(dtype) ?? 0) + count);
    }
  }
  const [most] = [...byType].sort(([, a], [, b]) => b - a);
  return { bytes, dtype: most?.[0] ?? 'unknown', parameters: [...byType.values()].reduce((sum, n) => sum + n, 0) };
}

/** `unet/*.safetensors` and so on: one level down, as diffusers lays them out. */
async function weightFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const lists = await Promise.all(
    names.map(async (name) => {
      const files = await readdir(join(folder, name)).catch(() => []);
      return files.filter((file) => file.endsWith('.safetensors')).map((file) => join(folder, name, file));
    }),
  );
  return lists.flat().sort();
}

async function readHeader(path: string, size: number): Promise<{ dtype: string; count: number }[]> {
  const file = await open(path, 'r');
  try {
    const prefix = Buffer.alloc(8);
    const { bytesRead } = await file.read(prefix, 0, 8, 0);
    const length = bytesRead === 8 ? Number(prefix.readBigUInt64LE()) : Number.NaN;
    if (!(length <= Math.min(size - 8, MAX_HEADER_BYTES))) {
      throw damaged(path, `its header claims ${length} bytes, the file has ${size}`);
    }
    const header = Buffer.alloc(length);
    await file.read(header, 0, length, 8);
    const parsed = headerSchema.safeParse(parse(path, header));
    if (!parsed.success) throw damaged(path, parsed.error.issues[0]?.message ?? 'its header is not one');
    return Object.entries(parsed.data).flatMap(([name, tensor]) => {
      if (name === '__metadata__' || !Array.isArray(tensor.shape)) return [];
      const { dtype, shape, data_offsets: offsets } = tensor as { dtype: string; shape: number[]; data_offsets: [number, number] };
      if (8 + length + offsets[1] > size) throw damaged(path, `${name} ends beyond the file's ${size} bytes`);
      return [{ dtype, count: shape.reduce((product, n) => product * n, 1) }];
    });
  } finally {
    await file.close();
  }
}

function parse(path: string, header: Buffer): unknown {
  try {
    return JSON.parse(header.toString('utf8'));
  } catch (cause) {
    throw damaged(path, `its header is not JSON (${(cause as Error).message})`);
  }
}

function damaged(path: string, reason: string): EncoreError {
  return new EncoreError('checkpoint_invalid', `${path} is damaged: ${reason}.`, {
    remedy: 'Copy or download the file again.',
  });
}
