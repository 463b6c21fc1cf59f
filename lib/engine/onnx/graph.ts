import type { WeightRef } from '../checkpoint/weight-source.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OpName } from './ops.ts';
import type { Attributes, Value } from './value.ts';

export type { Attribute, Attributes, Value } from './value.ts';

/**
 * The graph layer's own representation: typed, immutable, free of any file format. Shapes are concrete: a graph is
 * built for one batch and one latent size, so that every check is made while it is built.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Output[];
  readonly initializers: readonly Initializer[];
  /** In topological order. */
  readonly nodes: readonly Node[];
}

/** Callers know an output by `name`; inside the graph it is `value` (a network may read and write a `sample`). */
export interface Output {
  readonly name: string;
  readonly value: Value;
}

/** A constant: small ones carry their data, weights say where they lie in a checkpoint. */
export type Initializer =
  { readonly value: Value; readonly data: Tensor } | { readonly value: Value; readonly weight: WeightRef };

export interface Node {
  readonly op: OpName;
  readonly name: string;
  /** `null` leaves an optional input out. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** Inputs that are present. */
export function presentInputs(node: Node): Value[] {
  return node.inputs.filter((value) => value !== null);
}

/** How often each value is read, by nodes and as a graph output. */
export function countUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) presentInputs(node).forEach(use);
  for (const output of graph.outputs) use(output.value);
  return uses;
}
