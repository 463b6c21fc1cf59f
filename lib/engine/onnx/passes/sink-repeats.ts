import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
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
  const { attributes } = node;
  const keepsRows = (axes: unknown): boolean =>
    (Array.isArray(axes) ? axes : [axes]).every((axis) => typeof axis === 'number' && axis !== 0);
  const [x] = present;
  if (!x) return null;
  switch (node.op) {
    case 'Conv':
    case 'GroupNormalization':
    case 'InstanceNormalization':
    case 'Relu':
    case 'Sigmoid':
    case 'Tanh':
    case 'Mish':
    case 'Exp':
    case 'Sqrt':
    case 'Sin':
    case 'Cos':
    case 'Gelu':
    case 'QuickGelu':
    case 'Cast':
    case 'Resize':
    case 'DepthToSpace':
    case 'SpaceToDepth':
      return [x];
    case 'Softmax':
    case 'LayerNormalization':
    case 'Split':
      return keepsRows(attributes['axis']) ? [x] : null;
    case 'Slice':
    case 'ReduceMean':
      return keepsRows(attributes['axes']) ? [x] : null;
    case 'Transpose':
      return (attributes['perm'] as readonly number[])[0] === 0 ? [x] : null;
    case 'Reshape':
      return (attributes['shape'] as readonly number[])[0] === 0 ? [x] : null;
    case 'MatMul':
      return present[1]?.shape.length === 2 && x.shape.length > 2 ? [x] : null;
    case 'Concat':
      return keepsRows(attributes['axis']) ? present : null;
    case 'MultiHeadAttention':
      return present;
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div': {
      const rank = Math.max(...present.map((value) => value.shape.length));
      // A single row that is not repeated stretches over all of them.
      return present.filter(
        (value) => value.shape.length === rank && (value.shape[0] !== 1 || repeats.has(value)),
      );
    }
    // These mix rows, say how many there are, or read what has none.
    case 'ArgMax':
    case 'Equal':
    case 'Expand':
    case 'Gather':
    case 'Pad':
    case 'RepeatRows':
      return null;
  }
}

function resized(node: Node, x: Value): number[] {
  const [, ...rest] = node.attributes['sizes'] as readonly number[];
  return [x.shape[0] ?? 0, ...rest];
}
