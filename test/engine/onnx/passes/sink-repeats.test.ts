import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../lib/engine/onnx/builder.ts';
import { type Value } from '../../../../lib/engine/onnx/graph.ts';
import { compile } from '../../../../lib/engine/onnx/passes/compile.ts';
import { sinkRepeats } from '../../../../lib/engine/onnx/passes/sink-repeats.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph } from '../../support/graphs.ts';

type Build = (g: GraphBuilder, x: Value, other: Value) => Value;

/** x [2, 4, 6, 6] repeated three times, beside an `other` that has all six rows. */
function graphOf(build: Build) {
  const g = GraphBuilder.create('repeats');
  const x = g.input('x', 'float32', [2, 4, 6, 6]);
  const other = g.input('other', 'float32', [6, 4, 6, 6]);
  g.output('y', build(g, g.repeatRows(x, 3), other));
  return g.finish();
}

const feeds = { x: random([2, 4, 6, 6], 1), other: random([6, 4, 6, 6], 2) };
const kernel = (g: GraphBuilder) => g.constant('kernel', random([4, 4, 3, 3], 3));
const gamma = (g: GraphBuilder) => g.constant('gamma', random([4], 4));
const sequence = (g: GraphBuilder, x: Value) => g.reshape(g.transpose(x, [0, 2, 3, 1]), [0, 36, 4]);

const perRow: [string, Build][] = [
  ['convolutions', (g, x) => g.conv2d(x, kernel(g), null, { padding: 1 })],
  ['activations', (g, x) => g.gelu(g.silu(x))],
  ['group norms', (g, x) => g.groupNorm(x, gamma(g), gamma(g), 2, 1e-5)],
  [
    'sequences, layer norms and linear layers',
    (g, x) => {
      const normed = g.layerNorm(sequence(g, x), gamma(g), null, 1e-5);
      return g.matMul(normed, g.constant('w', random([4, 5], 5)));
    },
  ],
  [
    'attention of itself',
    (g, x) => g.attention(sequence(g, x), sequence(g, x), sequence(g, x), { heads: 2 }),
  ],
  [
    'slices, splits and concats of channels',
    (g, x) => {
      const [a, b] = g.split(x, 1, [1, 3]) as [Value, Value];
      return g.concat([b, g.slice(a, 2, 1, 4), a].slice(0, 1).concat(g.slice(x, 1, 1, 2)), 1);
    },
  ],
  [
    'sums with itself and with what has no rows',
    (g, x) => g.mul(g.add(x, x), g.constant('c', random([4, 1, 1], 6))),
  ],
  ['sums with one row for all', (g, x) => g.add(x, g.constant('one row', random([1, 4, 1, 1], 7)))],
  ['resizes', (g, x) => g.resizeNearest(x, 12, 12)],
  ['repeats of repeats', (g, x) => g.silu(g.repeatRows(x, 2))],
];

const mixing: [string, Build][] = [
  ['a sum with other rows', (g, x, other) => g.add(g.silu(other), g.silu(x))],
  ['a concat with other rows', (g, x, other) => g.concat([x, other], 1)],
  [
    'attention of other rows',
    (g, x, other) => g.attention(sequence(g, other), sequence(g, x), sequence(g, x), { heads: 2 }),
  ],
  ['a mean over rows', (g, x) => g.mean(x, 0)],
  ['a reshape of rows', (g, x) => g.reshape(x, [3, 8, 6, 6])],
];

describe('sinkRepeats', () => {
  it.each(perRow)('computes %s once per distinct row', async (_, build) => {
    const graph = graphOf(build);
    const sunk = sinkRepeats(graph);
    verify(sunk);
    expect(sunk.nodes.at(-1)?.op).toBe('RepeatRows');
    expect(sunk.nodes.filter(({ op }) => op === 'RepeatRows')).toHaveLength(1);
    expectForward(
      (await runGraph(compile(sunk), feeds))['y']!,
      (await runGraph(compile(graph), feeds))['y']!,
      'y',
    );
  });

  it.each(mixing)('stops at %s', async (_, build) => {
    const graph = graphOf(build);
    const sunk = sinkRepeats(graph);
    verify(sunk);
    expect(sunk.nodes.at(-1)?.op).not.toBe('RepeatRows');
    expectForward(
      (await runGraph(compile(sunk), feeds))['y']!,
      (await runGraph(compile(graph), feeds))['y']!,
      'y',
    );
  });

  it('broadcasts where repeated rows only meet arithmetic, and copies nothing', () => {
    const graph = compile(sinkRepeats(graphOf((g, x, other) => g.add(other, g.silu(x)))));
    expect(print(graph)).toMatchInlineSnapshot(`
      "graph repeats(x: f32[2,4,6,6], other: f32[6,4,6,6])
        QuickGelu = QuickGelu(x) alpha=1 : f32[2,4,6,6]
        Add/Reshape = Reshape(other) shape=[3,2,4,6,6] : f32[3,2,4,6,6]
        Add = Add(Add/Reshape, QuickGelu) : f32[3,2,4,6,6]
        Add/Reshape_1 = Reshape(Add) shape=[6,4,6,6] : f32[6,4,6,6]
        return y=Add/Reshape_1"
    `);
  });
});
