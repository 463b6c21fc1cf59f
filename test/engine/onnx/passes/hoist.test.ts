import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../lib/engine/onnx/builder.ts';
import { type Graph } from '../../../../lib/engine/onnx/graph.ts';
import { compile } from '../../../../lib/engine/onnx/passes/compile.ts';
import { hoist } from '../../../../lib/engine/onnx/passes/hoist.ts';
import { partition } from '../../../../lib/engine/onnx/passes/stages.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph } from '../../support/graphs.ts';

const stages = { h: 1, skip: 0 };

interface Shape {
  h: number;
  skip: number;
  groups: number;
  out: number;
  shortcut: boolean;
}

/** The first half of an up-block resnet: concat, norm, activation, convolution, and what is added to it. */
function resnet({ h, skip, groups, out, shortcut }: Shape): Graph {
  const g = GraphBuilder.create('resnet');
  const channels = h + skip;
  const constant = (name: string, shape: number[], seed: number) => g.constant(name, random(shape, seed));
  const x = g.concat([g.input('h', 'float32', [2, h, 5, 4]), g.input('skip', 'float32', [2, skip, 5, 4])], 1);
  const normed = g
    .at('norm1')
    .groupNorm(x, constant('gamma', [channels], 2), constant('beta', [channels], 3), groups, 1e-5);
  const conv1 = g.at('conv1');
  const y = conv1.conv2d(
    conv1.silu(normed),
    constant('w1', [out, channels, 3, 3], 4),
    constant('b1', [out], 5),
    { padding: 1 },
  );
  const residual = shortcut
    ? g.at('conv_shortcut').conv2d(x, constant('ws', [out, channels, 1, 1], 6), constant('bs', [out], 7))
    : x;
  g.output('y', g.add(residual, y));
  return g.finish();
}

describe('hoist', () => {
  it('computes whole groups of the skip early and leaves a straddling one with h', () => {
    // 4 groups of 3 channels over 5 + 7: the second group straddles, two lie in the skip.
    const graph = hoist(resnet({ h: 5, skip: 7, groups: 4, out: 2, shortcut: true }), stages);
    expect(print(graph)).toMatchInlineSnapshot(`
      "graph resnet(h: f32[2,5,5,4], skip: f32[2,7,5,4])
        norm1/GroupNormalization/Slice = Slice(skip) starts=[0] ends=[1] axes=[1] : f32[2,1,5,4]
        norm1/GroupNormalization/Concat = Concat(h, norm1/GroupNormalization/Slice) axis=1 : f32[2,6,5,4]
        norm1/GroupNormalization/Slice_1 = Slice(gamma) starts=[0] ends=[6] axes=[0] : f32[6]
        norm1/GroupNormalization/Slice_2 = Slice(beta) starts=[0] ends=[6] axes=[0] : f32[6]
        norm1/GroupNormalization = GroupNormalization(norm1/GroupNormalization/Concat, norm1/GroupNormalization/Slice_1, norm1/GroupNormalization/Slice_2) num_groups=2 epsilon=0.00001 : f32[2,6,5,4]
        norm1/GroupNormalization/Slice_3 = Slice(skip) starts=[1] ends=[7] axes=[1] : f32[2,6,5,4]
        norm1/GroupNormalization/Slice_4 = Slice(gamma) starts=[6] ends=[12] axes=[0] : f32[6]
        norm1/GroupNormalization/Slice_5 = Slice(beta) starts=[6] ends=[12] axes=[0] : f32[6]
        norm1/GroupNormalization.early = GroupNormalization(norm1/GroupNormalization/Slice_3, norm1/GroupNormalization/Slice_4, norm1/GroupNormalization/Slice_5) num_groups=2 epsilon=0.00001 : f32[2,6,5,4]
        conv1/QuickGelu = QuickGelu(norm1/GroupNormalization) alpha=1 : f32[2,6,5,4]
        conv1/QuickGelu.early = QuickGelu(norm1/GroupNormalization.early) alpha=1 : f32[2,6,5,4]
        conv1/Conv/Slice = Slice(w1) starts=[0] ends=[6] axes=[1] : f32[2,6,3,3]
        conv1/Conv = Conv(conv1/QuickGelu, conv1/Conv/Slice, b1) strides=[1,1] pads=[1,1,1,1] dilations=[1,1] group=1 : f32[2,2,5,4]
        conv1/Conv/Slice_1 = Slice(w1) starts=[6] ends=[12] axes=[1] : f32[2,6,3,3]
        conv1/Conv.early = Conv(conv1/QuickGelu.early, conv1/Conv/Slice_1) strides=[1,1] pads=[1,1,1,1] dilations=[1,1] group=1 : f32[2,2,5,4]
        conv1/Conv.sum = Add(conv1/Conv, conv1/Conv.early) : f32[2,2,5,4]
        conv_shortcut/Conv/Slice = Slice(ws) starts=[0] ends=[5] axes=[1] : f32[2,5,1,1]
        conv_shortcut/Conv = Conv(h, conv_shortcut/Conv/Slice, bs) strides=[1,1] pads=[0,0,0,0] dilations=[1,1] group=1 : f32[2,2,5,4]
        conv_shortcut/Conv/Slice_1 = Slice(ws) starts=[5] ends=[12] axes=[1] : f32[2,7,1,1]
        conv_shortcut/Conv.early = Conv(skip, conv_shortcut/Conv/Slice_1) strides=[1,1] pads=[0,0,0,0] dilations=[1,1] group=1 : f32[2,2,5,4]
        conv_shortcut/Conv.sum = Add(conv_shortcut/Conv, conv_shortcut/Conv.early) : f32[2,2,5,4]
        Add = Add(conv_shortcut/Conv.sum, conv1/Conv.sum) : f32[2,2,5,4]
        return y=Add"
    `);
  });

  it('keeps the norm whole where no group lies in the skip alone', () => {
    const graph = hoist(resnet({ h: 4, skip: 2, groups: 2, out: 6, shortcut: false }), stages);
    expect(graph.nodes.map((node) => node.op)).toEqual([
      'Concat',
      'GroupNormalization',
      'QuickGelu',
      'Conv',
      'Add',
    ]);
  });

  it('leaves a concat alone whose parts are known at the same time', () => {
    const graph = resnet({ h: 4, skip: 4, groups: 2, out: 8, shortcut: true });
    expect(print(hoist(graph, { h: 0, skip: 0 }))).toBe(print(graph));
  });

  it('is exact for any channels and groups, in one graph and cut in two', async () => {
    const shapes = fc
      .record({
        perGroup: fc.integer({ min: 1, max: 6 }),
        groups: fc.integer({ min: 1, max: 6 }),
        border: fc.double({ min: 0, max: 1, noNaN: true }),
        out: fc.integer({ min: 1, max: 5 }),
        shortcut: fc.boolean(),
      })
      .filter(({ perGroup, groups }) => perGroup * groups > 1)
      .map(({ perGroup, groups, border, out, shortcut }): Shape => {
        const channels = perGroup * groups;
        const h = 1 + Math.floor(border * (channels - 2));
        return { h, skip: channels - h, groups, shortcut, out: shortcut ? out : channels };
      });
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const plain = resnet(shape);
        const feeds = { h: random([2, shape.h, 5, 4], 8), skip: random([2, shape.skip, 5, 4], 9) };
        const expected = (await runGraph(compile(plain), feeds))['y']!;
        const hoisted = hoist(plain, stages);
        verify(hoisted);
        expectForward((await runGraph(compile(hoisted), feeds))['y']!, expected, JSON.stringify(shape));
        const [early, late] = partition(hoisted, stages, 2) as [Graph, Graph];
        const perGroup = (shape.h + shape.skip) / shape.groups;
        const isSplit = Math.ceil(shape.h / perGroup) < shape.groups;
        expect(late.inputs.some(({ name }) => name === 'skip')).toBe(!shape.shortcut || !isSplit);
        // Without a shortcut and without a whole group in the skip nothing is left to compute early.
        const features = early.outputs.length === 0 ? {} : await runGraph(compile(early), feeds);
        expectForward(
          (await runGraph(compile(late), { ...feeds, ...features }))['y']!,
          expected,
          JSON.stringify(shape),
        );
      }),
      { numRuns: 40 },
    );
  });
});
