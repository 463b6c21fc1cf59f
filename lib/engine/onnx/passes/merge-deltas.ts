import type { Factor, WeightDelta, WeightDeltas } from '../../checkpoint/lora/delta.ts';
import type { WeightRef } from '../../checkpoint/weight-source.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Graph, Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/** What LyCORIS adds to the norms it divides by: the float32 epsilon. */
const normEpsilon = 2 ** -23;

/**
 * Adapters merged into weights: every weight W that has deltas is read as W + sum of weight_i * D_i, computed in float32 by
 * nodes that depend on nothing but files. Whatever was cut, folded or transposed out of W before is computed from the sum,
 * and the runtime folds all of it as it folds any other constant. Each D_i is of W alone, so their order does not matter.
 */
export function mergeDeltas(graph: Graph, deltas: WeightDeltas): Graph {
  const wanted = new Map<Value, WeightDeltas extends ReadonlyMap<string, infer D> ? D : never>();
  for (const each of graph.initializers) {
    const found = 'weight' in each ? deltas.get(each.weight.name) : undefined;
    if (found !== undefined) wanted.set(each.value, found);
  }
  if (wanted.size === 0) return graph;
  const merged = new Map<Value, Value>();
  const sum = (value: Value | null, g: GraphBuilder): Value | null => {
    const terms = value && wanted.get(value);
    if (!terms) return value;
    const known = merged.get(value);
    if (known) return known;
    const at = g.at(value.name);
    const base = at.cast(value, 'float32');
    const total = terms.reduce((w, { delta, weight }) => at.add(w, change(at, base, delta, weight)), base);
    merged.set(value, total);
    return total;
  };
  return rewrite(graph, (node, inputs, g) =>
    inputs.some((value) => value && wanted.has(value))
      ? g.emitAll(
          node.op,
          inputs.map((value) => sum(value, g)),
          node.attributes,
          node.name,
        )
      : null,
  );
}

/** weight * D, in the shape of W. */
function change(g: GraphBuilder, base: Value, delta: WeightDelta, weight: number): Value {
  const read: Read = (ref) => g.cast(g.stored({ ...ref, name: `${delta.source}/${ref.name}` }), 'float32');
  const product = combined(g, delta, base.shape, read);
  if (delta.magnitude === null) return scaled(g, product, weight * delta.scale);
  const moved = g.add(base, scaled(g, product, delta.scale));
  return scaled(
    g,
    g.sub(decomposed(g, moved, read(delta.magnitude.ref), delta.magnitude.axis), base),
    weight,
  );
}

function scaled(g: GraphBuilder, x: Value, factor: number): Value {
  return factor === 1 ? x : g.mul(x, factor);
}

/** m V / |V|, norms over all but one axis. V: [out, in, ...] */
function decomposed(g: GraphBuilder, v: Value, m: Value, axis: 0 | 1): Value {
  const [out = 0, channels = 1, ...kernel] = v.shape;
  const flat = g.reshape(v, [out, channels, sizeOf(kernel)]);
  const axes = axis === 0 ? [1, 2] : [0, 2];
  const mean = g.emit('ReduceMean', [g.mul(flat, flat)], { axes, keepdims: 1 });
  const count = sizeOf(axes.map((each) => flat.shape[each] ?? 1));
  const norm = g.add(g.emit('Sqrt', [g.mul(mean, count)]), normEpsilon);
  const magnitude = g.reshape(m, axis === 0 ? [out, 1, 1] : [1, channels, 1]);
  return g.reshape(g.mul(flat, g.div(magnitude, norm)), v.shape);
}

/** A tensor of the adapter's file, in float32. */
type Read = (ref: WeightRef) => Value;

function combined(
  g: GraphBuilder,
  { combine, factors }: WeightDelta,
  shape: readonly number[],
  read: Read,
): Value {
  const [first, second] = factors.map((factor) => made(g, factor, read)) as [Value, Value | undefined];
  if (combine === 'plain' || second === undefined) return g.reshape(first, shape);
  if (combine === 'hadamard') return g.reshape(g.mul(first, second), shape);
  // Kronecker: element (a, b) of the first times the whole second, at block (a, b).
  const [out = 0, channels = 0, ...kernel] = shape;
  const [rows = 0, columns = 0] = first.shape;
  const blocks = g.reshape(first, [rows, 1, columns, 1, 1]);
  const block = g.reshape(second, [1, out / rows, 1, channels / columns, sizeOf(kernel)]);
  return g.reshape(g.mul(blocks, block), shape);
}

/** A factor as a matrix [m, n * kh * kw], or whole as it is stored. */
function made(g: GraphBuilder, factor: Factor, read: Read): Value {
  if ('whole' in factor) return read(factor.whole);
  const [a, b] = [read(factor.a), read(factor.b)];
  const rows = b.shape[0] ?? 0;
  if (factor.core === null) return g.matMul(a, g.reshape(b, [rows, sizeOf(b.shape.slice(1))]));
  const core = read(factor.core);
  const [p = 0, q = 0, ...kernel] = core.shape;
  const positions = sizeOf(kernel);
  const left = factor.transposed ? g.transpose(a, [1, 0]) : a; // [m, p]
  const [m = 0] = left.shape;
  const half = g.reshape(g.matMul(left, g.reshape(core, [p, q * positions])), [m, q, positions]);
  const whole = g.matMul(g.transpose(half, [0, 2, 1]), b); // [m, positions, n]
  return g.reshape(g.transpose(whole, [0, 2, 1]), [m, (b.shape[1] ?? 0) * positions]);
}
