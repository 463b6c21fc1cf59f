import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { isPlain3x3 } from './plain-convolution.ts';
import { rewrite } from './rewrite.ts';

/**
 * 3x3 convolutions by Winograd's minimal filtering F(2x2, 3x3): 16 matrix products of a quarter of the positions each
 * instead of 9 of all of them, 4/9 of the multiply-accumulates. For processors: libraries of graphics cards do it
 * themselves. Exact to rounding (4e-7 of the std beyond the direct form's own).
 *
 * Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.1: with 4x4 tiles d that overlap
 * by two and kernels g, Y = A' [ (G g G') * (B' d B) ] A, summed over input channels between the brackets.
 */
export function winograd(graph: Graph): Graph {
  const kernels = new Map<Value, readonly Value[][]>();
  return rewrite(graph, (node, inputs, g) => {
    const [x, weight, bias] = inputs;
    if (!x || !weight || !pays(node)) return null;
    const kernel = kernels.get(weight) ?? transformKernel(g.at(node.name), weight);
    kernels.set(weight, kernel);
    return [convolve(node, x, kernel, bias ?? null, g)];
  });
}

/** Below this the transforms, which grow with the channels, cost more than the products save, which grow with their square. */
const fewestChannels = 320;
/**
 * The 16 transformed inputs of one row together, four times the input. Of a row and not of the batch, so that every
 * decode width, and every picture up to 1024 x 1024, has the same packed weights.
 */
const largestTransformBytes = 100e6;

function pays(node: Node): boolean {
  const [x, weight] = node.inputs;
  if (!x || !weight || !isPlain3x3(node)) return false;
  const [, , height = 0, width = 0] = x.shape;
  const [out = 0, channels = 0] = weight.shape;
  return Math.min(out, channels) >= fewestChannels && 16 * channels * height * width <= largestTransformBytes;
}

/** G g G': kernels [O, C, 3, 3] to 4 rows of 4 matrices [O, C]. Depends on weights alone: the runtime folds it. */
function transformKernel(g: GraphBuilder, weight: Value): readonly Value[][] {
  const [out = 0, channels = 0] = weight.shape;
  const taps = g.transpose(weight, [2, 3, 0, 1]); // [3, 3, O, C], so that each tap is contiguous
  // 1 0 0 / .5 .5 .5 / .5 -.5 .5 / 0 0 1 along an axis
  const transform = (x: Value, axis: number): Value[] => {
    const [first, middle, last] = [0, 1, 2].map((i) => g.slice(x, axis, i, i + 1)) as [Value, Value, Value];
    const [outer, inner] = [g.mul(g.add(first, last), 0.5), g.mul(middle, 0.5)];
    return [first, g.add(outer, inner), g.sub(outer, inner), last];
  };
  return transform(taps, 0).map((row) =>
    transform(row, 1).map((matrix) => g.reshape(matrix, [out, channels])),
  );
}

function convolve(
  node: Node,
  x: Value,
  kernel: readonly Value[][],
  bias: Value | null,
  g: GraphBuilder,
): Value {
  const at = g.at(node.name);
  const [, channels = 0, height = 0, width = 0] = x.shape;
  // Of an odd size the last tile reaches one position beyond.
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const out = kernel[0]?.[0]?.shape[0] ?? 0;

  // Tiles start at every second position of the padded picture: position k of a tile is phase k % 2 of it, moved by
  // k >= 2. Phases [R, 2 * 2 * C, h/2 + 1, w/2 + 1], of rows first.
  const padded = at.emit('Pad', [x], {
    mode: 'constant',
    pads: [0, 0, 1, 1, 0, 0, 1 + (height % 2), 1 + (width % 2)],
  });
  const phases = at.emit('SpaceToDepth', [padded], { blocksize: 2 });
  const products = alongTile(at, phases, 2, rows).map((line, k) =>
    alongTile(at, line, 3, columns).map((tile, l) => {
      const product = at.matMul(kernel[k]?.[l] as Value, at.reshape(tile, [0, channels, rows * columns]));
      // Product (1, 1) enters each of the four outputs once.
      return bias && k === 1 && l === 1 ? at.add(product, at.reshape(bias, [out, 1])) : product;
    }),
  );
  const column = (matrix: readonly Value[][], l: number): Value[] => matrix.map((line) => line[l] as Value);
  const lines = [0, 1, 2, 3].map((l) => toOutputs(at, column(products, l)));
  const outputs = [0, 1].flatMap((a) => toOutputs(at, column(lines, a)));
  const stacked = at.reshape(at.concat(outputs, 1), [0, 4 * out, rows, columns]);
  const even = height % 2 === 0 && width % 2 === 0;
  const attributes = { blocksize: 2, mode: 'DCR' };
  if (even) return g.emit('DepthToSpace', [stacked], attributes, node.name);
  const crop = { starts: [0, 0], ends: [height, width], axes: [2, 3] };
  return g.emit('Slice', [at.emit('DepthToSpace', [stacked], attributes)], crop, node.name);
}

/**
 * B' d along one axis: d0 - d2, d1 + d2, d2 - d1, d1 - d3. The even positions d0, d2 are the first half of x's channels,
 * the odd ones d1, d3 the second.
 */
function alongTile(g: GraphBuilder, x: Value, axis: number, count: number): Value[] {
  const half = (x.shape[1] ?? 0) / 2;
  const [d0, d1, d2, d3] = [0, 1, 2, 3].map((k) => {
    const [phase, move] = [k % 2, Math.floor(k / 2)];
    const starts = [phase * half, move];
    return g.emit('Slice', [x], { starts, ends: [(phase + 1) * half, move + count], axes: [1, axis] });
  }) as [Value, Value, Value, Value];
  return [g.sub(d0, d2), g.add(d1, d2), g.sub(d2, d1), g.sub(d1, d3)];
}

/** A' m along one axis: m0 + m1 + m2 and m1 - m2 - m3. */
function toOutputs(g: GraphBuilder, [m0, m1, m2, m3]: readonly Value[]): Value[] {
  if (!m0 || !m1 || !m2 || !m3) return [];
  return [g.add(g.add(m0, m1), m2), g.sub(g.sub(m1, m2), m3)];
}
