import type { GraphBuilder } from '../builder.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import type { OpName } from '../ops.ts';
import { rewrite } from './rewrite.ts';

/**
 * Moves RepeatRows towards the outputs: what acts on each row alone is computed once per distinct row and repeated
 * afterwards, if at all. This is what runs the shared prefix of both guidance halves once, and what keeps skips, text
 * keys and hoisted terms from being tiled over a span.
 */
export function sinkRepeats(graph: Graph): Graph {
  const repeats = new Map<Value, Repeat>();
  const rows = (value: Value, g: GraphBuilder): Value => {
    const repeat = repeats.get(value);
    if (!repeat) return value;
    repeat.whole ??= g.emit('RepeatRows', [repeat.base], { times: repeat.times }, value.name);
    return repeat.whole;
  };
  const standFor = (output: Value, base: Value, times: number): Value => {
    const value = { ...output };
    repeats.set(value, { base, times, whole: null });
    return value;
  };

  return rewrite(
    graph,
    (node, inputs, g) => {
      if (node.op === 'RepeatRows') {
        const [x] = inputs as [Value];
        const inner = repeats.get(x);
        const times = (node.attributes['times'] as number) * (inner?.times ?? 1);
        return [standFor(node.outputs[0] as Value, inner?.base ?? x, times)];
      }
      const times = commonTimes(node, inputs, repeats);
      if (times === null) return null;
      const bases = inputs.map((value) => (value && repeats.get(value)?.base) ?? value);
      const attributes =
        node.op === 'Resize'
          ? { ...node.attributes, sizes: resized(node, bases[0] as Value) }
          : node.attributes;
      const outputs = g.emitAll(node.op, bases, attributes, node.name);
      return node.outputs.map((value, i) => standFor(value, outputs[i] ?? value, times));
    },
    { materialize: rows },
  );
}

/** A value that is not made: `base` repeated. */
interface Repeat {
  readonly base: Value;
  readonly times: number;
  whole: Value | null;
}

/**
 * By how much every input that has rows is repeated, where it is the same for all of them and the node acts on each
 * row alone; null otherwise.
 */
function commonTimes(
  node: Node,
  inputs: readonly (Value | null)[],
  repeats: ReadonlyMap<Value, Repeat>,
): number | null {
  const withRows = rowInputs(node, inputs, repeats);
  if (!withRows) return null;
  const times = withRows.map((value) => repeats.get(value)?.times ?? null);
  const [first] = times;
  return first !== undefined && first !== null && times.every((n) => n === first) ? first : null;
}

/** The inputs whose first axis is the rows, or null where the node mixes rows or does something unknown to them. */
function rowInputs(
  node: Node,
  inputs: readonly (Value | null)[],
  repeats: ReadonlyMap<Value, Repeat>,
): Value[] | null {
  const present = inputs.filter((value) => value !== null);
  const [x] = present;
  if (!x) return null;
  const { attributes } = node;
  switch (rowRules[node.op]) {
    case 'first':
      return [x];
    case 'all':
      return present;
    case 'first-along-axes':
      return keepsRows(attributes['axis'] ?? attributes['axes']) ? [x] : null;
    case 'all-along-axes':
      return keepsRows(attributes['axis']) ? present : null;
    case 'first-in-place':
      return startsWithZero(attributes['perm'] ?? attributes['shape']) ? [x] : null;
    case 'product':
      return present[1]?.shape.length === 2 && x.shape.length > 2 ? [x] : null;
    case 'broadcast': {
      const rank = Math.max(...present.map((value) => value.shape.length));
      // A single row that is not repeated stretches over all of them.
      return present.filter(
        (value) => value.shape.length === rank && (value.shape[0] !== 1 || repeats.has(value)),
      );
    }
    case 'none':
      return null;
  }
}

/** Axes that are not the rows. Negative ones count from the end and never reach that far. */
function keepsRows(axes: Attribute | undefined): boolean {
  const list = typeof axes === 'object' ? axes : [axes];
  return list.every((axis) => typeof axis === 'number' && axis !== 0);
}

/** A permutation or a shape that leaves the first axis where it is (a 0 in a shape keeps its length). */
function startsWithZero(list: Attribute | undefined): boolean {
  return typeof list === 'object' && list[0] === 0;
}

/**
 * Which inputs of an operator have rows, where it acts on each row alone: its `first`, or `all`; with conditions on its
 * axes; a `product` by a matrix that all rows share; arithmetic that may `broadcast`; or `none`, because it mixes rows,
 * says how many there are, or reads what has none.
 */
const rowRules: Record<
  OpName,
  | 'first'
  | 'all'
  | 'first-along-axes'
  | 'all-along-axes'
  | 'first-in-place'
  | 'product'
  | 'broadcast'
  | 'none'
> = {
  Conv: 'first',
  GroupNormalization: 'first',
  InstanceNormalization: 'first',
  Relu: 'first',
  Sigmoid: 'first',
  Tanh: 'first',
  Mish: 'first',
  Exp: 'first',
  Sqrt: 'first',
  Sin: 'first',
  Cos: 'first',
  Gelu: 'first',
  QuickGelu: 'first',
  Cast: 'first',
  Resize: 'first',
  DepthToSpace: 'first',
  SpaceToDepth: 'first',
  Softmax: 'first-along-axes',
  LayerNormalization: 'first-along-axes',
  Split: 'first-along-axes',
  Slice: 'first-along-axes',
  ReduceMean: 'first-along-axes',
  Transpose: 'first-in-place',
  Reshape: 'first-in-place',
  MatMul: 'product',
  Concat: 'all-along-axes',
  MultiHeadAttention: 'all',
  Add: 'broadcast',
  Sub: 'broadcast',
  Mul: 'broadcast',
  Div: 'broadcast',
  ArgMax: 'none',
  Equal: 'none',
  Expand: 'none',
  Gather: 'none',
  Pad: 'none',
  RepeatRows: 'none',
};

function resized(node: Node, x: Value): number[] {
  const [, ...rest] = node.attributes['sizes'] as readonly number[];
  return [x.shape[0] ?? 0, ...rest];
}
