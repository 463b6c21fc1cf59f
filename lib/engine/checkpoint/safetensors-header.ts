import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';
import { bytesPerElement, sizeOf, type DType, type Shape } from '../tensor/tensor.ts';
import type { WeightRef } from './weight-source.ts';

// The JSON header of a safetensors file: which tensors there are, and where. Everything in it is checked against the rest
// and against the size of the file. Format: huggingface/safetensors README.

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
export const dtypeCodes = Object.fromEntries(Object.entries(dtypes).map(([code, dtype]) => [dtype, code]));
/** Bytes of the element types the format knows and no network here reads. */
const otherDtypes: Record<string, number> = { U64: 8, U32: 4, U16: 2, I16: 2, F8_E4M3: 1, F8_E5M2: 1 };

const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().min(0)).max(maxRank),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const metadataSchema = z.record(z.string(), z.string());

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, WeightRef>;
  /** Tensors of a type that is not supported, name to type as the file spells it. */
  readonly unsupported: ReadonlyMap<string, string>;
}

/**
 * `header` is the JSON as it lies in `file`, which has `size` bytes. Throws `checkpoint_invalid` naming the tensor where
 * lengths, offsets, shapes and types do not agree, where two tensors overlap or have one name, and where bytes belong to
 * none.
 */
export function parseHeader(header: Uint8Array, file: string, size: number): SafetensorsHeader {
  const dataStart = 8 + header.length;
  const tensors = new Map<string, WeightRef>();
  const unsupported = new Map<string, string>();
  const ranges: Range[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of parseEntries(header, file)) {
    if (name === '__metadata__') {
      metadata = parseMetadata(value, file);
      continue;
    }
    const { code, dtype, shape, begin, end } = parseEntry(name, value, file);
    if (dataStart + end > size) {
      throw invalid(
        file,
        `tensor "${name}" ends at byte ${dataStart + end}, the file has ${size}: it was cut short`,
      );
    }
    ranges.push({ name, begin, end });
    const place = { file, offset: dataStart + begin, length: end - begin };
    if (dtype === undefined) unsupported.set(name, code);
    else tensors.set(name, { name, dtype, shape, ...place });
  }
  expectSeamless(ranges, size - dataStart, file);
  return { metadata, tensors, unsupported };
}

/** Bytes of the data, `end` not included. */
interface Range {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

interface Entry extends Range {
  /** Element type as the file spells it. */
  readonly code: string;
  /** undefined for a type that no network here reads. */
  readonly dtype: DType | undefined;
  readonly shape: Shape;
}

function parseEntry(name: string, value: unknown, file: string): Entry {
  if (name.length > maxNameLength) throw invalid(file, `a tensor name has ${name.length} characters`);
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(file, `tensor "${name}": ${issue.path.join('.')} ${issue.message}`);
  }
  const {
    dtype: code,
    shape,
    data_offsets: [begin, end],
  } = parsed.data;
  const dtype = Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
  const other = Object.hasOwn(otherDtypes, code) ? otherDtypes[code] : undefined;
  const width = dtype === undefined ? other : bytesPerElement[dtype];
  if (width === undefined) throw invalid(file, `tensor "${name}": there is no element type "${code}"`);
  const length = sizeOf(shape) * width;
  if (!Number.isSafeInteger(length) || end - begin !== length) {
    throw invalid(
      file,
      `tensor "${name}": ${code} [${shape.join(', ')}] needs ${length} bytes, its offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  }
  return { name, code, dtype, shape, begin, end };
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  const parsed = metadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(file, '__metadata__ must map strings to strings');
}

/** One tensor after the other, from the first byte of the data to the last. */
function expectSeamless(ranges: Range[], dataSize: number, file: string): void {
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

/** The error for a file that is not what it says. */
export function invalid(file: string, message: string, cause?: unknown): EncoreError {
  return new EncoreError('checkpoint_invalid', `${file}: ${message}`, {
    remedy: 'Fetch or export the file again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
