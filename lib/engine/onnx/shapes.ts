import type { DType, Shape } from '../tensor/tensor.ts';
import type { Attributes, Type, Value } from './value.ts';

/** What an inference rule sees of a node. `fail` throws `graph_invalid` with the node's name before the message. */
export interface InferContext {
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly fail: (message: string) => never;
}

export type Infer = (context: InferContext) => Type[];

/** `[1, 4, 64, 64]` as `[1,4,64,64]`, as in every message of this layer. */
export function showShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function showType(type: Type): string {
  return `${shortNames[type.dtype]}${showShape(type.shape)}`;
}

const shortNames: Record<DType, string> = {
  float32: 'f32',
  float64: 'f64',
  float16: 'f16',
  bfloat16: 'bf16',
  int64: 'i64',
  int32: 'i32',
  int8: 'i8',
  uint8: 'u8',
  bool: 'bool',
};

/** The input at `index`, which the op cannot do without. */
export function required(context: InferContext, index: number): Value {
  const value = context.inputs[index];
  return value ?? context.fail(`input ${index} is missing`);
}

export function int(context: InferContext, name: string): number {
  const value = context.attributes[name];
  return typeof value === 'number' ? value : context.fail(`attribute ${name} must be a number`);
}

export function ints(context: InferContext, name: string): readonly number[] {
  const value = context.attributes[name];
  return typeof value === 'object' ? value : context.fail(`attribute ${name} must be a list of numbers`);
}

/** An axis counted from the front; negative ones count from the back. */
export function axis(context: InferContext, value: number, rank: number): number {
  const normal = value < 0 ? value + rank : value;
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank) {
    context.fail(`axis ${value} does not exist in rank ${rank}`);
  }
  return normal;
}

/** Shape of an elementwise result: aligned at the last axis, 1 stretches (numpy's rule). */
export function broadcast(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const m = a[a.length - rank + i] ?? 1;
    const n = b[b.length - rank + i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    out.push(m === 1 ? n : m);
  }
  return out;
}
