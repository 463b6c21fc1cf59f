import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, type ConvOptions } from '../../../../lib/engine/onnx/builder.ts';
import { countMacs } from '../../../../lib/engine/onnx/macs.ts';
import { phaseUpsample } from '../../../../lib/engine/onnx/passes/phase-upsample.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph } from '../../support/graphs.ts';

interface Size {
  rows: number;
  channels: number;
  out: number;
  height: number;
  width: number;
  bias: boolean;
}

function upsample(
  { rows, channels, out, height, width, bias }: Size,
  to: readonly [number, number] = [2 * height, 2 * width],
  kernel = 3,
  options: ConvOptions = { padding: 1 },
) {
  const g = GraphBuilder.create('upsample');
  const x = g.input('x', 'float32', [rows, channels, height, width]);
  const weight = g.constant('weight', random([out, channels, kernel, kernel], 2));
  g.output(
    'y',
    g.conv2d(g.resizeNearest(x, ...to), weight, bias ? g.constant('bias', random([out], 3)) : null, options),
  );
  return g.finish();
}

const size: Size = { rows: 1, channels: 4, out: 3, height: 5, width: 4, bias: true };

describe('phaseUpsample', () => {
  it('is exact at every size, the edges included', async () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 2 }),
      channels: fc.integer({ min: 1, max: 5 }),
      out: fc.integer({ min: 1, max: 5 }),
      height: fc.integer({ min: 1, max: 7 }),
      width: fc.integer({ min: 1, max: 7 }),
      bias: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (one) => {
        const plain = upsample(one);
        const phased = phaseUpsample(plain);
        verify(phased);
        expect(phased.nodes.map(({ op }) => op)).not.toContain('Resize');
        const feeds = { x: random([one.rows, one.channels, one.height, one.width], 1) };
        const [actual, expected] = [await runGraph(phased, feeds), await runGraph(plain, feeds)];
        // A lone value has no std to compare with.
        if (expected['y']!.data.length > 1) expectForward(actual['y']!, expected['y']!, JSON.stringify(one));
      }),
      { numRuns: 30 },
    );
  });

  it('computes four ninths', () => {
    const plain = upsample(size);
    expect(countMacs(phaseUpsample(plain)) / countMacs(plain)).toBeCloseTo(4 / 9, 10);
  });

  it.each([
    ['a size that is not the double', upsample(size, [9, 8])],
    ['another kernel', upsample(size, undefined, 1, { padding: 0 })],
    ['a stride', upsample(size, undefined, 3, { padding: 1, stride: 2 })],
    ['other padding', upsample(size, undefined, 3, { padding: 0 })],
  ])('leaves %s alone', (_, graph) => {
    expect(phaseUpsample(graph).nodes.map(({ op }) => op)).toEqual(['Resize', 'Conv']);
  });

  it('keeps the upsampled picture for whoever else reads it', () => {
    const g = GraphBuilder.create('two readers');
    const big = g.resizeNearest(g.input('x', 'float32', [1, 2, 3, 3]), 6, 6);
    g.output('conv', g.conv2d(big, g.constant('w', random([2, 2, 3, 3])), null, { padding: 1 }));
    g.output('relu', g.activation(big, 'relu'));
    const ops = phaseUpsample(g.finish()).nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'Resize')).toHaveLength(1);
    expect(ops.filter((op) => op === 'Conv')).toHaveLength(4);
  });
});
