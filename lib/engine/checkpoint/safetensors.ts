import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { EncoreError } from '../../contracts/errors.ts';
import {
  bytesPerElement,
  sizeOf,
  tensor,
  type DataOf,
  type DType,
  type Shape,
  type Tensor,
} from '../tensor/tensor.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { dtypeCodes, invalid, parseHeader, type SafetensorsHeader } from './safetensors-header.ts';
import type { WeightRef } from './weight-source.ts';

/**
 * safetensors, read as hostile input: 8 bytes header length (little-endian), a JSON header, then the bytes of the
 * tensors without holes. Only the header is read here; graphs map the rest. Format: huggingface/safetensors README.
 */

/** The largest diffusion checkpoints have headers below 1 MB; the format itself allows 100 MB. */
export const maxHeaderBytes = 25_000_000;

export interface SafetensorsFile extends SafetensorsHeader {
  /** Absolute, symlink-free path. */
  readonly file: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** The header as it lies in the file: what the identity of the file is taken from. */
  readonly header: Uint8Array;
}

/**
 * Reads and checks the header. Throws `checkpoint_not_found`, or `checkpoint_invalid` naming the file and the tensor
 * where lengths, offsets, shapes and types do not agree with each other and with the size of the file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const { handle, file } = await openExisting(path);
  try {
    const { size, mtimeMs } = await handle.stat();
    const header = await readHeader(handle, file, size);
    return { file, size, modifiedMs: Math.floor(mtimeMs), header, ...parseHeader(header, file, size) };
  } finally {
    await handle.close();
  }
}

/** Reads tensors into memory, all of them or those named. Meant for inputs and small files; weights are mapped. */
export async function readSafetensors(path: string, names?: readonly string[]): Promise<Map<string, Tensor>> {
  const source = await openSafetensors(path);
  const result = new Map<string, Tensor>();
  for (const name of names ?? source.tensors.keys()) {
    const ref = source.tensors.get(name);
    if (ref === undefined) throw missingTensor(source.file, name, [...source.tensors.keys()]);
    result.set(name, await readWeight(ref));
  }
  return result;
}

/** Reads the bytes of one weight. Throws `checkpoint_invalid` where the file became shorter meanwhile. */
export async function readWeight(ref: WeightRef): Promise<Tensor> {
  const { handle } = await openExisting(ref.file);
  try {
    const bytes = new Uint8Array(ref.length);
    await readFully(handle, bytes, ref.offset, () =>
      invalid(
        ref.file,
        `tensor "${ref.name}" ends at byte ${ref.offset + ref.length}, past the end of the file`,
      ),
    );
    return tensor(ref.dtype, ref.shape, typedArray(ref.dtype, bytes));
  } finally {
    await handle.close();
  }
}

/** The error for a name that is not there, with the nearest that are. */
export function missingTensor(where: string, name: string, present: readonly string[]): EncoreError {
  const last = name.split('.').slice(-2).join('.');
  const near = present.filter((other) => other.endsWith(last)).slice(0, 3);
  const hint = near.length > 0 ? `; it has ${near.join(', ')}` : `; it has ${present.length} others`;
  return new EncoreError('checkpoint_invalid', `${where}: tensor "${name}" is missing${hint}`, {
    remedy: 'The weights do not belong to this config, or the file is incomplete: fetch it again.',
  });
}

/** One tensor to write. `bytes` is called once, in file order, and may give the data in pieces. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly bytes: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Writes tensors held in memory. See {@link writeSafetensorsStream}. */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const entries = Object.entries(tensors).map(([name, { dtype, shape, data }]) => ({
    name,
    dtype,
    shape,
    bytes: () => [bytesOf(data)],
  }));
  await writeSafetensorsStream(path, entries, metadata);
}

/**
 * Writes a file of any size without holding it: data are asked for one tensor at a time. Larger elements come first, so
 * that every tensor is aligned to its element; equal input gives equal bytes. The file appears whole or not at all.
 */
export async function writeSafetensorsStream(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sorted = [...tensors].sort(
    (a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype] || (a.name < b.name ? -1 : 1),
  );
  const names = new Set<string>();
  for (const { name } of sorted) {
    if (names.has(name)) throw new EncoreError('invalid_tensor', `tensor "${name}" is given twice`);
    names.add(name);
  }
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  let offset = 0;
  for (const { name, dtype, shape } of sorted) {
    const end = offset + sizeOf(shape) * bytesPerElement[dtype];
    header.push([name, { dtype: dtypeCodes[dtype], shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(json.length / 8) * 8;
  const start = Buffer.alloc(8 + padded, ' ');
  start.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(start, 8);

  await writeFileAtomically(path, async (file) => {
    await file.write(start);
    for (const entry of sorted) {
      let left = sizeOf(entry.shape) * bytesPerElement[entry.dtype];
      for await (const piece of entry.bytes()) {
        left -= piece.length;
        if (left < 0) break;
        await file.writeFile(piece);
      }
      if (left !== 0) {
        const wrong = left > 0 ? `${left} bytes too short` : `${-left} bytes too long`;
        throw new EncoreError(
          'invalid_tensor',
          `tensor "${entry.name}": the data are ${wrong} for its shape`,
        );
      }
    }
  });
}

/** The bytes of a typed array, in place. */
export function bytesOf(data: DataOf[DType]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Views freshly read bytes as elements of a type, in place. */
export function typedArray<D extends DType>(dtype: D, bytes: Uint8Array): DataOf[D];
export function typedArray(dtype: DType, bytes: Uint8Array): DataOf[DType] {
  const { buffer, byteOffset } = bytes;
  const length = bytes.byteLength / bytesPerElement[dtype];
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, byteOffset, length);
  }
}

async function openExisting(path: string): Promise<{ handle: FileHandle; file: string }> {
  try {
    const file = await realpath(path);
    // Opening a pipe would wait for a writer for ever.
    if ((await stat(file)).isFile()) return { handle: await open(file, 'r'), file };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be opened (${code})`;
    throw new EncoreError('checkpoint_not_found', `${path} ${reason}`, { cause, remedy: 'Check the path.' });
  }
  throw new EncoreError('checkpoint_not_found', `${path} is not a file`, { remedy: 'Check the path.' });
}

async function readHeader(handle: FileHandle, file: string, size: number): Promise<Uint8Array> {
  const prefix = Buffer.alloc(8);
  const short = () => invalid(file, `${size} bytes are too few for a safetensors file`);
  if (size < 10) throw short();
  await readFully(handle, prefix, 0, short);
  const length = prefix.readBigUInt64LE(0);
  if (length > BigInt(maxHeaderBytes)) {
    throw invalid(
      file,
      `the header claims ${length} bytes; at most ${maxHeaderBytes} are accepted, so this is not safetensors`,
    );
  }
  if (8 + Number(length) > size) {
    throw invalid(file, `the header claims ${length} bytes, the file has ${size} in all`);
  }
  const header = new Uint8Array(Number(length));
  await readFully(handle, header, 8, short);
  return header;
}

async function readFully(handle: FileHandle, into: Uint8Array, position: number, short: () => EncoreError) {
  // One read returns at most 2^31 - 1 bytes.
  for (let done = 0; done < into.length;) {
    const length = Math.min(into.length - done, 1 << 30);
    const { bytesRead } = await handle.read(into, done, length, position + done);
    if (bytesRead === 0) throw short();
    done += bytesRead;
  }
}
