import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
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
import type { WeightRef } from './weight-source.ts';

/**
 * safetensors, read as hostile input: 8 bytes header length (little-endian), a JSON header, then the bytes of the
 * tensors without holes. Only the header is read here; graphs map the rest. Format: huggingface/safetensors README.
 */

/** The largest diffusion checkpoints have headers below 1 MB; the format itself allows 100 MB. */
export const maxHeaderBytes = 25_000_000;
/** Names are printed in messages and become ONNX names. */
const maxNameLength = 512;
/** ONNX and every network here need far fewer; keeps products of hostile shapes short. */
const maxRank = 16;

const dtypes: Record<string, DType> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};
const dtypeCodes = Object.fromEntries(Object.entries(dtypes).map(([code, dtype]) => [dtype, code]));
/** Bytes of the element types the format knows and no network here reads. */
const otherDtypes: Record<string, number> = { U64: 8, U32: 4, U16: 2, I16: 2, F8_E4M3: 1, F8_E5M2: 1 };

const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().min(0)).max(maxRank),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const metadataSchema = z.record(z.string(), z.string());

export interface SafetensorsFile {
  /** Absolute, symlink-free path. */
  readonly file: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** The header as it lies in the file: what the identity of the file is taken from. */
  readonly header: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, WeightRef>;
  /** Tensors of a type that is not supported, name to type as the file spells it. */
  readonly unsupported: ReadonlyMap<string, string>;
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

function parseHeader(
  header: Uint8Array,
  file: string,
  size: number,
): Pick<SafetensorsFile, 'metadata' | 'tensors' | 'unsupported'> {
  const entries = parseEntries(header, file);
  const dataStart = 8 + header.length;
  const dataSize = size - dataStart;
  const tensors = new Map<string, WeightRef>();
  const unsupported = new Map<string, string>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  let metadata: Record<string, string> = {};

  for (const [name, value] of entries) {
    if (name === '__metadata__') {
      const parsed = metadataSchema.safeParse(value);
      if (!parsed.success) throw invalid(file, '__metadata__ must map strings to strings');
      metadata = parsed.data;
      continue;
    }
    if (name.length > maxNameLength) throw invalid(file, `a tensor name has ${name.length} characters`);
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw invalid(
        file,
        `tensor "${name}": ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is malformed'}`,
      );
    }
    const { dtype: code, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    const known = Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
    const width =
      known !== undefined
        ? bytesPerElement[known]
        : Object.hasOwn(otherDtypes, code)
          ? otherDtypes[code]
          : undefined;
    if (width === undefined) throw invalid(file, `tensor "${name}": there is no element type "${code}"`);
    const length = sizeOf(shape) * width;
    if (!Number.isSafeInteger(length) || end - begin !== length) {
      throw invalid(
        file,
        `tensor "${name}": ${code} [${shape.join(', ')}] needs ${length} bytes, its offsets [${begin}, ${end}] hold ${end - begin}`,
      );
    }
    if (end > dataSize) {
      throw invalid(
        file,
        `tensor "${name}" ends at byte ${dataStart + end}, the file has ${size}: it was cut short`,
      );
    }
    ranges.push({ name, begin, end });
    if (known === undefined) unsupported.set(name, code);
    else tensors.set(name, { name, dtype: known, shape, file, offset: dataStart + begin, length });
  }

  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== covered) {
      throw invalid(
        file,
        `tensor "${name}" begins at data byte ${begin}, the one before it ends at ${covered}`,
      );
    }
    covered = end;
  }
  if (covered !== dataSize) throw invalid(file, `its tensors cover ${covered} of ${dataSize} data bytes`);
  return { metadata, tensors, unsupported };
}

function parseEntries(header: Uint8Array, file: string): [string, unknown][] {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(header);
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, 'the header is not JSON, so this is not safetensors', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(file, 'the header is not a JSON object');
  }
  const entries = Object.entries(value);
  const written = countTopLevelKeys(text);
  if (written !== entries.length) {
    throw invalid(
      file,
      `the header has ${written} entries and ${entries.length} names: some are there twice`,
    );
  }
  return entries;
}

/** Keys of the outermost object as written; JSON.parse would silently keep the last of two equal ones. */
function countTopLevelKeys(json: string): number {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '"') {
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
    } else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === ':' && depth === 1) keys++;
  }
  return keys;
}

function invalid(file: string, message: string, cause?: unknown): EncoreError {
  return new EncoreError('checkpoint_invalid', `${file}: ${message}`, {
    remedy: 'Fetch or export the file again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
