import { open } from '../disk.ts';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';

/** What the header of a safetensors file says; no weight is read. */
export interface SafetensorsHeader {
  /** Of the whole file. */
  bytes: number;
  /** Where the weights begin. */
  dataStart: number;
  tensors: ReadonlyMap<string, { dtype: string; shape: readonly number[] }>;
  metadata: Readonly<Record<string, string>>;
}

/** Headers of the largest models have some MB; more is no header to the engine either. */
const MAX_HEADER_BYTES = 25_000_000;

const tensorSchema = z.object({
  dtype: z.string().max(16),
  shape: z.array(z.int().min(0)).max(16),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const headerSchema = z
  .looseObject({ __metadata__: z.record(z.string(), z.string()).default({}) })
  .transform(({ __metadata__, ...tensors }) => ({ metadata: __metadata__, tensors }))
  .pipe(z.object({ metadata: z.record(z.string(), z.string()), tensors: z.record(z.string(), tensorSchema) }));

/** @throws EncoreError `checkpoint_not_found`, `checkpoint_invalid` naming the file that is damaged or cut off */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `${path} cannot be read.`, { cause });
  });
  try {
    const { size } = await file.stat();
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
    const dataStart = 8 + length;
    const tensors = new Map<string, { dtype: string; shape: number[] }>();
    for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(parsed.data.tensors)) {
      if (offsets[0] > offsets[1] || dataStart + offsets[1] > size)
        throw damaged(path, `${name} ends beyond the file's ${size} bytes`);
      tensors.set(name, { dtype, shape });
    }
    return { bytes: size, dataStart, tensors, metadata: parsed.data.metadata };
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
