import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import type { AdapterHeader } from '../../contracts/adapters.ts';
import { pickledRefused } from './component-weights.ts';
import { openSafetensors, typedArray, type SafetensorsFile } from './safetensors.ts';
import type { DType } from '../tensor/tensor.ts';

/** The largest LoRAs of Stable Diffusion have 1 GB; all of it is read once. */
const maxAdapterBytes = 4e9;
const blockBytes = 1 << 22;

export interface AdapterFile extends SafetensorsFile {
  /** File name without extension: what people and AUTOMATIC1111 call it. */
  readonly name: string;
  /** sha256 of the bytes after the header, as AUTOMATIC1111 and sd-scripts hash a LoRA. */
  readonly dataHash: string;
  /** sha256 of the whole file. */
  readonly fileHash: string;
}

/**
 * Opens the file of a LoRA or an embedding and reads it once: its hashes, and that it holds numbers only. Throws
 * `checkpoint_not_found`, `checkpoint_invalid`, `checkpoint_unsupported` for a pickle or an impossible size, and
 * `weights_invalid` naming the tensor with NaN or infinity.
 */
export async function openAdapterFile(path: string): Promise<AdapterFile> {
  if (/\.(bin|ckpt|pt|pth)$/i.test(path)) {
    throw pickledRefused(path, 'Fetch the .safetensors variant of the LoRA or embedding.');
  }
  const opened = await openSafetensors(path);
  if (opened.size > maxAdapterBytes) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${path} has ${opened.size} bytes; a LoRA or embedding has at most ${maxAdapterBytes}`,
    );
  }
  return { ...opened, name: adapterName(path), ...(await readThrough(opened)) };
}

/** Folder and extension left out. */
export function adapterName(path: string): string {
  return basename(path.replaceAll('\\', '/')).replace(/\.safetensors$/i, '');
}

export function headerOf({ tensors, metadata }: SafetensorsFile): AdapterHeader {
  return { tensors: new Map([...tensors].map(([name, { shape }]) => [name, shape])), metadata };
}

async function readThrough(opened: SafetensorsFile): Promise<Pick<AdapterFile, 'dataHash' | 'fileHash'>> {
  const { file, header } = opened;
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  const [data, whole] = [createHash('sha256'), createHash('sha256').update(prefix).update(header)];
  const tensors = [...opened.tensors.values()].sort((a, b) => a.offset - b.offset);
  const handle = await open(file, 'r');
  try {
    const block = new Uint8Array(blockBytes);
    let position = 8 + header.length;
    const read = async (length: number) => {
      const bytes = block.subarray(0, length);
      const { bytesRead } = await handle.read(bytes, 0, length, position);
      if (bytesRead !== length)
        throw new EncoreError('checkpoint_invalid', `${file} was cut short meanwhile`);
      data.update(bytes);
      whole.update(bytes);
      position += length;
      return bytes;
    };
    for (const { name, dtype, offset, length } of tensors) {
      // Types that are not supported lie between those that are.
      while (position < offset) await read(Math.min(blockBytes, offset - position));
      for (const end = offset + length; position < end;) {
        const bytes = await read(Math.min(blockBytes, end - position));
        if (!isFinite(dtype, bytes)) {
          throw new EncoreError('weights_invalid', `${file}: tensor "${name}" holds NaN or infinity`, {
            remedy: 'The file is damaged, or its training diverged: fetch it again or leave it out.',
          });
        }
      }
    }
    while (position < opened.size) await read(Math.min(blockBytes, opened.size - position));
    return { dataHash: data.digest('hex'), fileHash: whole.digest('hex') };
  } finally {
    await handle.close();
  }
}

/** Whether no element is NaN or infinite. All exponent bits set is what both look like in half precision. */
function isFinite(dtype: DType, bytes: Uint8Array): boolean {
  switch (dtype) {
    case 'float32':
      return typedArray(dtype, bytes).every(Number.isFinite);
    case 'float64':
      return typedArray(dtype, bytes).every(Number.isFinite);
    case 'float16':
      return typedArray(dtype, bytes).every((bits) => (bits & 0x7c00) !== 0x7c00);
    case 'bfloat16':
      return typedArray(dtype, bytes).every((bits) => (bits & 0x7f80) !== 0x7f80);
    case 'int64':
    case 'int32':
    case 'int8':
    case 'uint8':
    case 'bool':
      return true;
  }
}
