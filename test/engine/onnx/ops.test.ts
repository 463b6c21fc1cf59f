import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import { type Value } from '../../../lib/engine/onnx/graph.ts';
import { ops, type OpName } from '../../../lib/engine/onnx/ops.ts';
import { float32, int64, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { random, runGraph } from '../support/graphs.ts';

type Case = [op: OpName, build: (g: GraphBuilder, x: Value) => Value | Value[], shape: readonly number[]];

// One graph per operator: onnxruntime checks the declared output shapes, and a few values say that it is that operator.
const cases: Case[] = [
  [
    'Conv',
    (g, x) =>
      g.conv2d(x, constant(g, [6, 2, 3, 3]), constant(g, [6]), {
        stride: 2,
        padding: [0, 0, 1, 1],
        groups: 2,
      }),
    [2, 4, 7, 6],
  ],
  ['MatMul', (g, x) => g.matMul(x, constant(g, [6, 5])), [2, 4, 7, 6]],
  ['Add', (g, x) => g.add(x, constant(g, [7, 1])), [2, 4, 7, 6]],
  ['Sub', (g, x) => g.sub(x, 3), [2, 3]],
  ['Mul', (g, x) => g.mul(x, constant(g, [1, 3])), [2, 3]],
  ['Div', (g, x) => g.div(x, 2), [2, 3]],
  ['Relu', (g, x) => g.activation(x, 'relu'), [2, 3]],
  ['Mish', (g, x) => g.activation(x, 'mish'), [2, 3]],
  ['Gelu', (g, x) => g.add(g.activation(x, 'gelu'), g.activation(x, 'gelu_new')), [2, 3]],
  ['QuickGelu', (g, x) => g.add(g.activation(x, 'quick_gelu'), g.activation(x, 'swish')), [2, 3]],
  ['Sigmoid', (g, x) => g.emit('Sigmoid', [x]), [2, 3]],
  ['Tanh', (g, x) => g.emit('Tanh', [x]), [2, 3]],
  ['Exp', (g, x) => g.emit('Exp', [x]), [2, 3]],
  ['Sqrt', (g, x) => g.emit('Sqrt', [g.mul(x, x)]), [2, 3]],
  ['Sin', (g, x) => g.emit('Sin', [x]), [2, 3]],
  ['Cos', (g, x) => g.emit('Cos', [x]), [2, 3]],
  ['Softmax', (g, x) => g.softmax(x), [2, 3]],
  ['LayerNormalization', (g, x) => g.layerNorm(x, constant(g, [6]), constant(g, [6]), 1e-5), [2, 4, 6]],
  ['GroupNormalization', (g, x) => g.groupNorm(x, constant(g, [4]), constant(g, [4]), 2, 1e-5), [2, 4, 7, 6]],
  [
    'InstanceNormalization',
    (g, x) => g.emit('InstanceNormalization', [x, constant(g, [4]), constant(g, [4])], { epsilon: 1e-5 }),
    [2, 4, 7],
  ],
  [
    'MultiHeadAttention',
    (g, x) => g.attention(x, constant(g, [2, 9, 6]), constant(g, [2, 9, 6]), { heads: 3 }),
    [2, 4, 6],
  ],
  ['Concat', (g, x) => g.concat([x, constant(g, [2, 5])], 1), [2, 3]],
  ['Slice', (g, x) => g.slice(x, 2, 1, 4), [2, 4, 7, 6]],
  ['Split', (g, x) => g.split(x, 1, [1, 3]), [2, 4, 7, 6]],
  ['Reshape', (g, x) => g.reshape(x, [0, -1, 3]), [2, 4, 6]],
  ['Transpose', (g, x) => g.transpose(x, [2, 0, 1]), [2, 4, 6]],
  ['Expand', (g, x) => g.expand(x, [5, 2, 3]), [1, 3]],
  ['Pad', (g, x) => g.emit('Pad', [x], { mode: 'constant', pads: [0, 1, 2, 0] }), [2, 3]],
  ['Resize', (g, x) => g.resizeNearest(x, 13, 12), [2, 4, 7, 6]],
  ['DepthToSpace', (g, x) => g.emit('DepthToSpace', [x], { blocksize: 2, mode: 'CRD' }), [2, 8, 3, 5]],
  ['SpaceToDepth', (g, x) => g.emit('SpaceToDepth', [x], { blocksize: 2 }), [2, 3, 4, 6]],
  ['Gather', (g, x) => g.gather(x, g.constant('indices', int64([2, 2], [1, 0, 3, 2])), 1), [2, 4, 6]],
  ['ReduceMean', (g, x) => g.mean(x, 1), [2, 4, 6]],
  ['ArgMax', (g, x) => g.emit('ArgMax', [x], { axis: 1, keepdims: 0 }), [2, 4]],
  ['Equal', (g, x) => g.emit('Equal', [x, constant(g, [1, 3])]), [2, 3]],
  ['Cast', (g, x) => g.cast(g.cast(x, 'float16'), 'float32'), [2, 3]],
];

describe('inferred types are what onnxruntime computes', () => {
  it.each(cases)('%s', async (op, build, shape) => {
    const g = GraphBuilder.create(op);
    const built = build(g, g.input('x', 'float32', shape));
    const values = Array.isArray(built) ? built : [built];
    values.forEach((value, i) => g.output(`y${i}`, value));
    const graph = g.finish();
    expect(graph.nodes.map((node) => node.op)).toContain(op);
    const outputs = await runGraph(graph, { x: random(shape) });
    values.forEach((value, i) => {
      expect(outputs[`y${i}`]).toMatchObject({ dtype: value.dtype, shape: value.shape });
    });
  });

  it('covers every operator that is written to a file', () => {
    const written = Object.entries(ops).filter(([, { domain }]) => domain !== 'encore');
    expect(cases.map(([op]) => op).sort()).toEqual(written.map(([op]) => op).sort());
  });
});

describe('what operators mean', () => {
  const evaluate = async (x: Tensor, build: (g: GraphBuilder, x: Value) => Value): Promise<number[]> => {
    const g = GraphBuilder.create('meaning');
    g.output('y', build(g, g.input('x', x.dtype, x.shape)));
    return Array.from((await runGraph(g.finish(), { x }))['y']?.data ?? [], Number);
  };
  const row = (...values: number[]) => float32([1, values.length], Float32Array.from(values));

  it('silu is x * sigmoid(x), quick gelu x * sigmoid(1.702 x)', async () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const xs = [-3, -0.5, 0, 0.5, 3];
    const silu = await evaluate(row(...xs), (g, x) => g.silu(x));
    silu.forEach((y, i) => expect(y).toBeCloseTo(xs[i]! * sigmoid(xs[i]!), 6));
    const quick = await evaluate(row(...xs), (g, x) => g.activation(x, 'quick_gelu'));
    quick.forEach((y, i) => expect(y).toBeCloseTo(xs[i]! * sigmoid(1.702 * xs[i]!), 6));
  });

  it('gelu is the exact one', async () => {
    // x * (1 + erf(x / sqrt 2)) / 2 at 1, to ten digits; the tanh form gives 0.8411919906
    const [y] = await evaluate(row(1), (g, x) => g.gelu(x));
    expect(y).toBeCloseTo(0.8413447461, 6);
  });

  it('nearest resize takes floor(i * in / out), as torch does', async () => {
    const x = float32([1, 1, 1, 3], Float32Array.of(1, 2, 3));
    expect(await evaluate(x, (g, v) => g.resizeNearest(v, 1, 5))).toEqual([1, 1, 2, 2, 3]);
  });

  it('causal attention sees nothing of what follows', async () => {
    const x = random([1, 4, 6], 3);
    const changed = float32([1, 4, 6], x.data.slice());
    changed.data.fill(9, 18);
    const attend = (g: GraphBuilder, v: Value) => g.attention(v, v, v, { heads: 2, causal: true });
    const [before, after] = [await evaluate(x, attend), await evaluate(changed, attend)];
    expect(after.slice(0, 18)).toEqual(before.slice(0, 18));
    expect(after.slice(18)).not.toEqual(before.slice(18));
  });
});

let next = 0;
function constant(g: GraphBuilder, shape: readonly number[]): Value {
  return g.constant(`constant ${next++}`, random(shape, next));
}
