import { describe, expect, it } from 'vitest';
import { GraphBuilder, type ConvOptions } from '../../../../lib/engine/onnx/builder.ts';
import { type Graph } from '../../../../lib/engine/onnx/graph.ts';
import { countMacs } from '../../../../lib/engine/onnx/macs.ts';
import { winograd } from '../../../../lib/engine/onnx/passes/winograd.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { createRuntime } from '../../../../lib/engine/runtime/runtime.ts';
import { type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../../support/parity.ts';
import { random } from '../../support/graphs.ts';

interface Size {
  rows?: number;
  channels?: number;
  out?: number;
  height?: number;
  width?: number;
  bias?: boolean;
  kernel?: number;
  options?: ConvOptions;
}

function convolution(size: Size = {}): Graph {
  const { rows = 1, channels = 320, out = 320, height = 4, width = 4, bias = true, kernel = 3 } = size;
  const g = GraphBuilder.create('convolution');
  const x = g.input('x', 'float32', [rows, channels, height, width]);
  const weight = g.constant('weight', random([out, channels, kernel, kernel], 2));
  const options = size.options ?? { padding: 1 };
  g.output('y', g.at('conv').conv2d(x, weight, bias ? g.constant('bias', random([out], 3)) : null, options));
  return g.finish();
}

/** Runs a graph as it is: the shared runtime would apply the pass itself. */
async function runPlain(graph: Graph, feeds: Record<string, Tensor>): Promise<Tensor> {
  verify(graph);
  const runtime = await createRuntime({ device: 'cpu', winograd: false });
  const session = await runtime.open(graph);
  const { y } = await session.run(feeds);
  await session.dispose();
  await runtime.dispose();
  return y!;
}

describe('winograd', () => {
  it.each<[string, Size]>([
    ['one row', {}],
    ['several rows, not square', { rows: 3, height: 2, width: 10 }],
    ['more outputs than inputs, no bias', { out: 352, bias: false, height: 6 }],
    ['an odd height', { height: 5 }],
    ['odd sizes', { height: 1, width: 7, rows: 2 }],
    ['fewer outputs than inputs', { channels: 384, height: 8, width: 6 }],
  ])('is exact to rounding: %s', async (_, size) => {
    const plain = convolution(size);
    const fast = winograd(plain);
    expect(fast.nodes.some(({ op }) => op === 'Conv')).toBe(false);
    const feeds = { x: random(plain.inputs[0]!.shape, 1) };
    expectForward(await runPlain(fast, feeds), await runPlain(plain, feeds), 'y');
  });

  it('multiplies four ninths as often', () => {
    const plain = convolution();
    expect(countMacs(winograd(plain)) / countMacs(plain)).toBeCloseTo(4 / 9, 10);
  });

  it('transforms a kernel once that two convolutions share', () => {
    const g = GraphBuilder.create('shared');
    const weight = g.constant('weight', random([320, 320, 3, 3], 2));
    const x = g.input('x', 'float32', [1, 320, 4, 4]);
    g.output('y', g.conv2d(g.conv2d(x, weight, null, { padding: 1 }), weight, null, { padding: 1 }));
    const fast = winograd(g.finish());
    expect(fast.nodes.filter(({ op }) => op === 'Transpose')).toHaveLength(1);
    expect(fast.nodes.filter(({ op }) => op === 'MatMul')).toHaveLength(32);
  });

  it.each<[string, Size]>([
    ['few channels', { channels: 64, out: 64 }],
    ['another kernel', { kernel: 1, options: { padding: 0 } }],
    ['a stride', { options: { padding: 1, stride: 2 } }],
    ['other padding', { options: { padding: 0 } }],
    ['dilation', { options: { padding: 1, dilation: 2 }, height: 8, width: 8 }],
    ['transforms that would take too much memory', { height: 256, width: 256 }],
  ])('leaves a convolution with %s alone', (_, size) => {
    expect(winograd(convolution(size)).nodes.map(({ op }) => op)).toEqual(['Conv']);
  });
});
