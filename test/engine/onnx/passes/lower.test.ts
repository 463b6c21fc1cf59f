import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../lib/engine/onnx/builder.ts';
import { lower } from '../../../../lib/engine/onnx/passes/lower.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { float32, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph } from '../../support/graphs.ts';

describe('lower', () => {
  it('turns a group norm into a layer norm of its groups', () => {
    const g = GraphBuilder.create('norm');
    const [scale, bias] = [g.constant('scale', random([6])), g.constant('bias', random([6]))];
    g.output('y', g.groupNorm(g.input('x', 'float32', [2, 6, 4, 5]), scale, bias, 3, 1e-5));
    expect(print(lower(g.finish()))).toMatchInlineSnapshot(`
      "graph norm(x: f32[2,6,4,5])
        GroupNormalization/Reshape = Reshape(x) shape=[6,40] : f32[6,40]
        ones 40/Slice = Slice(GroupNormalization/Reshape) starts=[0] ends=[1] axes=[0] : f32[1,40]
        ones 40/Reshape = Reshape(ones 40/Slice) shape=[-1] : f32[40]
        ones 40/Equal = Equal(ones 40/Reshape, ones 40/Reshape) : bool[40]
        ones 40/Cast = Cast(ones 40/Equal) to=float32 : f32[40]
        GroupNormalization/LayerNormalization = LayerNormalization(GroupNormalization/Reshape, ones 40/Cast) axis=-1 epsilon=0.00001 : f32[6,40]
        GroupNormalization/Reshape_1 = Reshape(GroupNormalization/LayerNormalization) shape=[2,6,4,5] : f32[2,6,4,5]
        GroupNormalization/Reshape_2 = Reshape(scale) shape=[6,1,1] : f32[6,1,1]
        GroupNormalization/Mul = Mul(GroupNormalization/Reshape_1, GroupNormalization/Reshape_2) : f32[2,6,4,5]
        GroupNormalization/Reshape_3 = Reshape(bias) shape=[6,1,1] : f32[6,1,1]
        GroupNormalization/Add = Add(GroupNormalization/Mul, GroupNormalization/Reshape_3) : f32[2,6,4,5]
        return y=GroupNormalization/Add"
    `);
  });

  it('normalises groups as the definition does, also where the mean is far from zero', async () => {
    const config = fc.record({
      rows: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 4 }),
      perGroup: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 2, max: 9 }),
      offset: fc.constantFrom(0, 10),
    });
    await fc.assert(
      fc.asyncProperty(config, async ({ rows, groups, perGroup, height, width, offset }) => {
        const channels = groups * perGroup;
        const x = random([rows, channels, height, width], 1);
        x.data.forEach((value, i) => (x.data[i] = value + offset));
        const [scale, bias] = [random([channels], 2), random([channels], 3)];
        const g = GraphBuilder.create('norm');
        const input = g.input('x', 'float32', x.shape);
        g.output('y', g.groupNorm(input, g.constant('scale', scale), g.constant('bias', bias), groups, 1e-5));
        const { y } = await runGraph(lower(g.finish()), { x });
        expectForward(y!, groupNorm(x, scale, bias, groups), 'y');
      }),
      { numRuns: 30 },
    );
  });

  it('copies repeated rows only where something else than arithmetic reads them', () => {
    const g = GraphBuilder.create('repeats');
    const x = g.repeatRows(g.input('x', 'float32', [2, 4]), 3);
    g.output('sum', g.add(x, g.input('other', 'float32', [6, 4])));
    g.output('silu', g.silu(x));
    expect(lower(g.finish()).nodes.map(({ op }) => op)).toEqual(['Concat', 'Add', 'QuickGelu']);
  });
});

/** In float64, by the definition. */
function groupNorm(x: Tensor, scale: Tensor, bias: Tensor, groups: number): Tensor<'float32'> {
  const [rows = 0, channels = 0, height = 0, width = 0] = x.shape;
  const size = (channels / groups) * height * width;
  const out = float32(x.shape);
  for (let group = 0; group < rows * groups; group++) {
    const values = Array.from(x.data.slice(group * size, (group + 1) * size) as Float32Array);
    const mean = values.reduce((sum, v) => sum + v, 0) / size;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / size;
    values.forEach((v, i) => {
      const channel = (group % groups) * (channels / groups) + Math.floor(i / (height * width));
      out.data[group * size + i] =
        ((v - mean) / Math.sqrt(variance + 1e-5)) * Number(scale.data[channel]) + Number(bias.data[channel]);
    });
  }
  return out;
}
