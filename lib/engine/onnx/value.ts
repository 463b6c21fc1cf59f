import type { DType, Shape } from '../tensor/tensor.ts';

/** Element type and shape: what inference computes for each output of a node. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One tensor inside a graph. Names are unique within the graph. */
export interface Value extends Type {
  readonly name: string;
}

/** Plain values; the op table says how each is written (int, float, string, list, or a constant int64 input). */
export type Attributes = Readonly<Record<string, Attribute>>;
export type Attribute = number | string | readonly number[];
