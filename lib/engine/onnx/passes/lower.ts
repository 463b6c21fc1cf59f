import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import { countUses } from '../graph.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/**
 * Replaces the ops that exist for the passes' sake by what runtimes run: RepeatRows, and GroupNormalization, which
 * onnxruntime would take apart into some 25 nodes.
 */
export function lower(graph: Graph): Graph {
  const broadcastable = broadcastableRepeats(graph);
  const ones = new Map<number, Value>();
  return rewrite(graph, (node, inputs, g) => {
    const [a, b, c] = inputs;
    if (node.op === 'GroupNormalization' && a && b && c) return [groupNormalization(node, a, b, c, ones, g)];
    if (node.op === 'RepeatRows' && a) {
      return [broadcastable.has(node.outputs[0] as Value) ? a : repeatRows(node, a, g)];
    }
    const reads = node.inputs.some((value) => value && broadcastable.has(value));
    return reads && a && b ? [broadcast(node, a, b, g)] : null;
  });
}

const arithmetic = new Set<string>(['Add', 'Sub', 'Mul', 'Div']);

/**
 * Repeated values that are read only by arithmetic with values of as many rows: they are broadcast there and never
 * copied.
 */
function broadcastableRepeats(graph: Graph): ReadonlySet<Value> {
  const uses = countUses(graph);
  const repeated = new Set(
    graph.nodes.filter(({ op }) => op === 'RepeatRows').flatMap(({ outputs }) => outputs),
  );
  const met = new Map<Value, number>();
  for (const { op, inputs } of graph.nodes) {
    const [a, b] = inputs;
    // Of two repeated values one at least has to have all its rows.
    if (!arithmetic.has(op) || !a || !b || (repeated.has(a) && repeated.has(b))) continue;
    if (a.shape.length !== b.shape.length || a.shape[0] !== b.shape[0]) continue;
    for (const value of [a, b]) met.set(value, (met.get(value) ?? 0) + 1);
  }
  return new Set([...repeated].filter((value) => met.get(value) === uses.get(value)));
}

/** [m * n, ...] with [n, ...]: as [m, n, ...] with [n, ...]. */
function broadcast(node: Node, a: Value, b: Value, g: GraphBuilder): Value {
  const [rowsA = 1, rowsB = 1] = [a.shape[0], b.shape[0]];
  if (rowsA === rowsB) return g.emit(node.op, [a, b], node.attributes, node.name);
  const [many, few] = rowsA > rowsB ? [rowsA, rowsB] : [rowsB, rowsA];
  const at = g.at(node.name);
  const split = (x: Value): Value =>
    x.shape[0] === many ? at.reshape(x, [many / few, few, ...x.shape.slice(1)]) : x;
  const result = g.emit(node.op, [split(a), split(b)], node.attributes, node.name);
  return at.reshape(result, [many, ...result.shape.slice(2)]);
}

function repeatRows(node: Node, x: Value, g: GraphBuilder): Value {
  const times = node.attributes['times'] as number;
  return times === 1 ? x : g.emit('Concat', Array<Value>(times).fill(x), { axis: 0 }, node.name);
}

/**
 * As LayerNormalization of each group's elements, then scale and shift of the channels. Of the exact forms the fastest
 * on the CPU together with InstanceNormalization ([2,320,64,64] on one thread: 0.7 and 0.5 ms, the op itself 4), and of
 * these two the one that a mean far from zero does not disturb.
 */
function groupNormalization(
  node: Node,
  x: Value,
  scale: Value,
  bias: Value,
  ones: Map<number, Value>,
  g: GraphBuilder,
): Value {
  const at = g.at(node.name);
  const { num_groups: groups, epsilon } = node.attributes as { num_groups: number; epsilon: number };
  const [rows = 0, channels = 0, ...space] = x.shape;
  const elements = (channels / groups) * sizeOf(space);
  const grouped = at.reshape(x, [rows * groups, elements]);
  const one = ones.get(elements) ?? onesLike(g.at(`ones ${elements}`), grouped);
  ones.set(elements, one);
  const normal = at.reshape(at.layerNorm(grouped, one, null, epsilon), x.shape);
  const perChannel = (value: Value): Value => at.reshape(value, [channels, ...space.map(() => 1)]);
  return at.add(at.mul(normal, perChannel(scale)), perChannel(bias));
}

/**
 * Ones of the length of a row, for a norm that has no scale of its own. A single 1 would do and takes eight times as
 * long as the norm. A constant would be folded into the packed weights, which would then differ with every picture
 * size; so it is made of the input: x = x.
 */
function onesLike(g: GraphBuilder, x: Value): Value {
  const row = g.cast(g.reshape(g.slice(x, 0, 0, 1), [-1]), 'float32');
  return g.cast(g.emit('Equal', [row, row]), x.dtype);
}
