import { EncoreError } from '../../contracts/errors.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';
import { float32, sizeOf, type Tensor } from './tensor.ts';

/** Small arithmetic on host tensors, as schedulers and the loop need it; nothing here is a network. */

type Float32 = Tensor<'float32'>;

/** Sum of c_i * x_i over tensors of one shape, accumulated in float64. */
export function weightedSum(...terms: readonly (readonly [coefficient: number, x: Float32])[]): Float32 {
  const first = terms[0]?.[1];
  if (first === undefined) throw new EncoreError('invalid_tensor', 'a weighted sum needs at least one term');
  for (const [, x] of terms) {
    if (x.shape.length !== first.shape.length || x.shape.some((n, i) => n !== first.shape[i])) {
      throw new EncoreError(
        'invalid_tensor',
        `cannot add tensors of shapes ${describe(first)} and ${describe(x)}`,
      );
    }
  }
  const out = new Float32Array(first.data.length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const [coefficient, x] of terms) sum += coefficient * x.data[i]!;
    out[i] = sum;
  }
  return float32(first.shape, out);
}

/** c * x. */
export function scaled(coefficient: number, x: Float32): Float32 {
  return weightedSum([coefficient, x]);
}

/** f of every element. */
export function mapped(x: Float32, f: (value: number) => number): Float32 {
  return float32(x.shape, x.data.map(f));
}

/** Rows `from` to `to` (exclusive) along the first axis, as a view. */
export function rows(x: Float32, from: number, to: number): Float32 {
  const [count = 0, ...rest] = x.shape;
  if (from < 0 || to > count || from > to) {
    throw new EncoreError('invalid_tensor', `rows ${from} to ${to} of a tensor of shape ${describe(x)}`);
  }
  const size = sizeOf(rest);
  return float32([to - from, ...rest], x.data.subarray(from * size, to * size));
}

/** Joins along the first axis. */
export function concatRows(parts: readonly Float32[]): Float32 {
  const rest = parts[0]?.shape.slice(1) ?? [];
  const out = new Float32Array(parts.reduce((total, { data }) => total + data.length, 0));
  let offset = 0;
  for (const part of parts) {
    if (part.shape.length !== rest.length + 1 || rest.some((n, i) => n !== part.shape[i + 1])) {
      throw new EncoreError(
        'invalid_tensor',
        `cannot join rows of shapes ${describe(parts[0]!)} and ${describe(part)}`,
      );
    }
    out.set(part.data, offset);
    offset += part.data.length;
  }
  return float32([parts.reduce((total, { shape }) => total + shape[0]!, 0), ...rest], out);
}

/** Joins two tensors of as many rows along the second axis. */
export function concatChannels(a: Float32, b: Float32): Float32 {
  const [count = 0, channels = 0, ...rest] = a.shape;
  if (b.shape[0] !== count || b.shape.slice(2).join() !== rest.join()) {
    throw new EncoreError('invalid_tensor', `cannot join channels of ${describe(a)} and ${describe(b)}`);
  }
  const parts = Array.from({ length: count }, (_, i) => [rows(a, i, i + 1), rows(b, i, i + 1)]).flat();
  const flat = concatRows(parts.map((part) => reshaped(part, [part.data.length])));
  return reshaped(flat, [count, channels + b.shape[1]!, ...rest]);
}

/** The same numbers under another shape, as a view. */
export function reshaped(x: Float32, shape: readonly number[]): Float32 {
  return float32(shape, x.data);
}

/** Any floating-point or integer tensor as float32; float32 comes back as it is. */
export function toFloat32(x: Tensor): Float32 {
  switch (x.dtype) {
    case 'float32':
      return x as Float32;
    case 'float16':
      return float32(x.shape, float16ToFloat32(x.data as Uint16Array));
    case 'bfloat16':
      return float32(x.shape, bfloat16ToFloat32(x.data as Uint16Array));
    case 'float64':
    case 'int64':
    case 'int32':
    case 'int8':
    case 'uint8':
    case 'bool':
      return float32(x.shape, Float32Array.from(x.data as ArrayLike<number | bigint>, Number));
  }
}

function describe(x: Tensor): string {
  return `[${x.shape.join(', ')}]`;
}
