import { describe, expect, it } from 'vitest';
import { type WeightSource } from '../../../lib/engine/checkpoint/weight-source.ts';
import { timesteps } from '../../../lib/engine/networks/layers.ts';
import { resnetBlock2d, upsample2d } from '../../../lib/engine/networks/resnet.ts';
import { transformer2d } from '../../../lib/engine/networks/transformer.ts';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import { print } from '../../../lib/engine/onnx/print.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';
import { runGraph } from '../support/graphs.ts';

// The print of a block is its specification: read it beside the diffusers module of the same name.

describe('blocks', () => {
  it('ResnetBlock2D', () => {
    const g = builder({
      'norm1.weight': [8],
      'norm1.bias': [8],
      'conv1.weight': [16, 8, 3, 3],
      'conv1.bias': [16],
      'time_emb_proj.weight': [16, 64],
      'time_emb_proj.bias': [16],
      'norm2.weight': [16],
      'norm2.bias': [16],
      'conv2.weight': [16, 16, 3, 3],
      'conv2.bias': [16],
      'conv_shortcut.weight': [16, 8, 1, 1],
      'conv_shortcut.bias': [16],
    });
    const x = g.input('x', 'float32', [2, 8, 6, 5]);
    const time = g.input('time', 'float32', [1, 64]);
    g.output('y', resnetBlock2d(g, x, time, { groups: 4, epsilon: 1e-5, activation: 'silu' }));
    expect(print(g.finish())).toMatchInlineSnapshot(`
      "graph block(x: f32[2,8,6,5], time: f32[1,64])
        norm1/GroupNormalization = GroupNormalization(x, norm1.weight, norm1.bias) num_groups=4 epsilon=0.00001 : f32[2,8,6,5]
        QuickGelu = QuickGelu(norm1/GroupNormalization) alpha=1 : f32[2,8,6,5]
        conv1/Conv = Conv(QuickGelu, conv1.weight, conv1.bias) strides=[1,1] pads=[1,1,1,1] dilations=[1,1] group=1 : f32[2,16,6,5]
        time_emb_proj/Transpose = Transpose(time_emb_proj.weight) perm=[1,0] : f32[64,16]
        time_emb_proj/MatMul = MatMul(time, time_emb_proj/Transpose) : f32[1,16]
        time_emb_proj/Add = Add(time_emb_proj/MatMul, time_emb_proj.bias) : f32[1,16]
        Reshape = Reshape(time_emb_proj/Add) shape=[0,16,1,1] : f32[1,16,1,1]
        Add = Add(conv1/Conv, Reshape) : f32[2,16,6,5]
        norm2/GroupNormalization = GroupNormalization(Add, norm2.weight, norm2.bias) num_groups=4 epsilon=0.00001 : f32[2,16,6,5]
        QuickGelu_1 = QuickGelu(norm2/GroupNormalization) alpha=1 : f32[2,16,6,5]
        conv2/Conv = Conv(QuickGelu_1, conv2.weight, conv2.bias) strides=[1,1] pads=[1,1,1,1] dilations=[1,1] group=1 : f32[2,16,6,5]
        conv_shortcut/Conv = Conv(x, conv_shortcut.weight, conv_shortcut.bias) strides=[1,1] pads=[0,0,0,0] dilations=[1,1] group=1 : f32[2,16,6,5]
        Add_1 = Add(conv_shortcut/Conv, conv2/Conv) : f32[2,16,6,5]
        return y=Add_1"
    `);
  });

  it('Transformer2DModel', () => {
    const linear = (name: string, out: number, width: number, bias = true) => ({
      [`${name}.weight`]: [out, width],
      ...(bias ? { [`${name}.bias`]: [out] } : {}),
    });
    const norm = (name: string) => ({ [`${name}.weight`]: [8], [`${name}.bias`]: [8] });
    const block = 'transformer_blocks.0';
    const g = builder({
      ...norm('norm'),
      ...linear('proj_in', 8, 8),
      ...norm(`${block}.norm1`),
      ...norm(`${block}.norm2`),
      ...norm(`${block}.norm3`),
      ...linear(`${block}.attn1.to_q`, 8, 8, false),
      ...linear(`${block}.attn1.to_k`, 8, 8, false),
      ...linear(`${block}.attn1.to_v`, 8, 8, false),
      ...linear(`${block}.attn1.to_out.0`, 8, 8),
      ...linear(`${block}.attn2.to_q`, 8, 8, false),
      ...linear(`${block}.attn2.to_k`, 8, 12, false),
      ...linear(`${block}.attn2.to_v`, 8, 12, false),
      ...linear(`${block}.attn2.to_out.0`, 8, 8),
      ...linear(`${block}.ff.net.0.proj`, 64, 8),
      ...linear(`${block}.ff.net.2`, 8, 32),
      ...linear('proj_out', 8, 8),
    });
    const x = g.input('x', 'float32', [2, 8, 3, 2]);
    const text = g.input('text', 'float32', [2, 7, 12]);
    const config = { heads: 2, layers: 1, groups: 4, onlyCrossAttention: false, upcastAttention: false };
    g.output('y', transformer2d(g, x, text, config));
    expect(print(g.finish())).toMatchInlineSnapshot(`
      "graph block(x: f32[2,8,3,2], text: f32[2,7,12])
        norm/GroupNormalization = GroupNormalization(x, norm.weight, norm.bias) num_groups=4 epsilon=0.000001 : f32[2,8,3,2]
        Transpose = Transpose(norm/GroupNormalization) perm=[0,2,3,1] : f32[2,3,2,8]
        Reshape = Reshape(Transpose) shape=[0,6,8] : f32[2,6,8]
        proj_in/Transpose = Transpose(proj_in.weight) perm=[1,0] : f32[8,8]
        proj_in/MatMul = MatMul(Reshape, proj_in/Transpose) : f32[2,6,8]
        proj_in/Add = Add(proj_in/MatMul, proj_in.bias) : f32[2,6,8]
        transformer_blocks.0.norm1/LayerNormalization = LayerNormalization(proj_in/Add, transformer_blocks.0.norm1.weight, transformer_blocks.0.norm1.bias) axis=-1 epsilon=0.00001 : f32[2,6,8]
        transformer_blocks.0.attn1.to_q/Transpose = Transpose(transformer_blocks.0.attn1.to_q.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn1.to_q/MatMul = MatMul(transformer_blocks.0.norm1/LayerNormalization, transformer_blocks.0.attn1.to_q/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn1.to_k/Transpose = Transpose(transformer_blocks.0.attn1.to_k.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn1.to_k/MatMul = MatMul(transformer_blocks.0.norm1/LayerNormalization, transformer_blocks.0.attn1.to_k/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn1.to_v/Transpose = Transpose(transformer_blocks.0.attn1.to_v.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn1.to_v/MatMul = MatMul(transformer_blocks.0.norm1/LayerNormalization, transformer_blocks.0.attn1.to_v/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn1/MultiHeadAttention = MultiHeadAttention(transformer_blocks.0.attn1.to_q/MatMul, transformer_blocks.0.attn1.to_k/MatMul, transformer_blocks.0.attn1.to_v/MatMul) num_heads=2 scale=0.5 : f32[2,6,8]
        transformer_blocks.0.attn1.to_out.0/Transpose = Transpose(transformer_blocks.0.attn1.to_out.0.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn1.to_out.0/MatMul = MatMul(transformer_blocks.0.attn1/MultiHeadAttention, transformer_blocks.0.attn1.to_out.0/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn1.to_out.0/Add = Add(transformer_blocks.0.attn1.to_out.0/MatMul, transformer_blocks.0.attn1.to_out.0.bias) : f32[2,6,8]
        transformer_blocks.0/Add = Add(transformer_blocks.0.attn1.to_out.0/Add, proj_in/Add) : f32[2,6,8]
        transformer_blocks.0.norm2/LayerNormalization = LayerNormalization(transformer_blocks.0/Add, transformer_blocks.0.norm2.weight, transformer_blocks.0.norm2.bias) axis=-1 epsilon=0.00001 : f32[2,6,8]
        transformer_blocks.0.attn2.to_q/Transpose = Transpose(transformer_blocks.0.attn2.to_q.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn2.to_q/MatMul = MatMul(transformer_blocks.0.norm2/LayerNormalization, transformer_blocks.0.attn2.to_q/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn2.to_k/Transpose = Transpose(transformer_blocks.0.attn2.to_k.weight) perm=[1,0] : f32[12,8]
        transformer_blocks.0.attn2.to_k/MatMul = MatMul(text, transformer_blocks.0.attn2.to_k/Transpose) : f32[2,7,8]
        transformer_blocks.0.attn2.to_v/Transpose = Transpose(transformer_blocks.0.attn2.to_v.weight) perm=[1,0] : f32[12,8]
        transformer_blocks.0.attn2.to_v/MatMul = MatMul(text, transformer_blocks.0.attn2.to_v/Transpose) : f32[2,7,8]
        transformer_blocks.0.attn2/MultiHeadAttention = MultiHeadAttention(transformer_blocks.0.attn2.to_q/MatMul, transformer_blocks.0.attn2.to_k/MatMul, transformer_blocks.0.attn2.to_v/MatMul) num_heads=2 scale=0.5 : f32[2,6,8]
        transformer_blocks.0.attn2.to_out.0/Transpose = Transpose(transformer_blocks.0.attn2.to_out.0.weight) perm=[1,0] : f32[8,8]
        transformer_blocks.0.attn2.to_out.0/MatMul = MatMul(transformer_blocks.0.attn2/MultiHeadAttention, transformer_blocks.0.attn2.to_out.0/Transpose) : f32[2,6,8]
        transformer_blocks.0.attn2.to_out.0/Add = Add(transformer_blocks.0.attn2.to_out.0/MatMul, transformer_blocks.0.attn2.to_out.0.bias) : f32[2,6,8]
        transformer_blocks.0/Add_1 = Add(transformer_blocks.0.attn2.to_out.0/Add, transformer_blocks.0/Add) : f32[2,6,8]
        transformer_blocks.0.norm3/LayerNormalization = LayerNormalization(transformer_blocks.0/Add_1, transformer_blocks.0.norm3.weight, transformer_blocks.0.norm3.bias) axis=-1 epsilon=0.00001 : f32[2,6,8]
        transformer_blocks.0.ff.net.0.proj/Slice = Slice(transformer_blocks.0.ff.net.0.proj.weight) starts=[0] ends=[32] axes=[0] : f32[32,8]
        transformer_blocks.0.ff.net.0.proj/Transpose = Transpose(transformer_blocks.0.ff.net.0.proj/Slice) perm=[1,0] : f32[8,32]
        transformer_blocks.0.ff.net.0.proj/MatMul = MatMul(transformer_blocks.0.norm3/LayerNormalization, transformer_blocks.0.ff.net.0.proj/Transpose) : f32[2,6,32]
        transformer_blocks.0.ff.net.0.proj/Slice_1 = Slice(transformer_blocks.0.ff.net.0.proj.bias) starts=[0] ends=[32] axes=[0] : f32[32]
        transformer_blocks.0.ff.net.0.proj/Add = Add(transformer_blocks.0.ff.net.0.proj/MatMul, transformer_blocks.0.ff.net.0.proj/Slice_1) : f32[2,6,32]
        transformer_blocks.0.ff.net.0.proj/Slice_2 = Slice(transformer_blocks.0.ff.net.0.proj.weight) starts=[32] ends=[64] axes=[0] : f32[32,8]
        transformer_blocks.0.ff.net.0.proj/Transpose_1 = Transpose(transformer_blocks.0.ff.net.0.proj/Slice_2) perm=[1,0] : f32[8,32]
        transformer_blocks.0.ff.net.0.proj/MatMul_1 = MatMul(transformer_blocks.0.norm3/LayerNormalization, transformer_blocks.0.ff.net.0.proj/Transpose_1) : f32[2,6,32]
        transformer_blocks.0.ff.net.0.proj/Slice_3 = Slice(transformer_blocks.0.ff.net.0.proj.bias) starts=[32] ends=[64] axes=[0] : f32[32]
        transformer_blocks.0.ff.net.0.proj/Add_1 = Add(transformer_blocks.0.ff.net.0.proj/MatMul_1, transformer_blocks.0.ff.net.0.proj/Slice_3) : f32[2,6,32]
        transformer_blocks.0.ff/Gelu = Gelu(transformer_blocks.0.ff.net.0.proj/Add_1) approximate=none : f32[2,6,32]
        transformer_blocks.0.ff/Mul = Mul(transformer_blocks.0.ff.net.0.proj/Add, transformer_blocks.0.ff/Gelu) : f32[2,6,32]
        transformer_blocks.0.ff.net.2/Transpose = Transpose(transformer_blocks.0.ff.net.2.weight) perm=[1,0] : f32[32,8]
        transformer_blocks.0.ff.net.2/MatMul = MatMul(transformer_blocks.0.ff/Mul, transformer_blocks.0.ff.net.2/Transpose) : f32[2,6,8]
        transformer_blocks.0.ff.net.2/Add = Add(transformer_blocks.0.ff.net.2/MatMul, transformer_blocks.0.ff.net.2.bias) : f32[2,6,8]
        transformer_blocks.0/Add_2 = Add(transformer_blocks.0.ff.net.2/Add, transformer_blocks.0/Add_1) : f32[2,6,8]
        proj_out/Transpose = Transpose(proj_out.weight) perm=[1,0] : f32[8,8]
        proj_out/MatMul = MatMul(transformer_blocks.0/Add_2, proj_out/Transpose) : f32[2,6,8]
        proj_out/Add = Add(proj_out/MatMul, proj_out.bias) : f32[2,6,8]
        Reshape_1 = Reshape(proj_out/Add) shape=[0,3,2,8] : f32[2,3,2,8]
        Transpose_1 = Transpose(Reshape_1) perm=[0,3,1,2] : f32[2,8,3,2]
        Add = Add(Transpose_1, x) : f32[2,8,3,2]
        return y=Add"
    `);
  });

  it('Upsample2D to a size that is not the double', () => {
    const g = builder({ 'conv.weight': [4, 4, 3, 3], 'conv.bias': [4] });
    g.output('y', upsample2d(g, g.input('x', 'float32', [1, 4, 4, 3]), 7, 6));
    expect(print(g.finish())).toMatchInlineSnapshot(`
      "graph block(x: f32[1,4,4,3])
        Resize = Resize(x) mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor sizes=[1,4,7,6] : f32[1,4,7,6]
        conv/Conv = Conv(Resize, conv.weight, conv.bias) strides=[1,1] pads=[1,1,1,1] dilations=[1,1] group=1 : f32[1,4,7,6]
        return y=conv/Conv"
    `);
  });
});

describe('timesteps', () => {
  const embed = async (t: number, width: number, flipSinToCos: boolean, freqShift: number) => {
    const g = GraphBuilder.create('timesteps');
    g.output('y', timesteps(g, g.input('t', 'float32', [1]), { width, flipSinToCos, freqShift }));
    return Array.from(
      (await runGraph(g.finish(), { t: float32([1], Float32Array.of(t)) }))['y']?.data ?? [],
      Number,
    );
  };

  it('is sin and cos of t / 10000^(i / (half - shift)), cosines first where flipped', async () => {
    const angles = [0, 1, 2].map((i) => 37 / 10000 ** (i / 3));
    const [sines, cosines] = [angles.map(Math.sin), angles.map(Math.cos)];
    const close = (actual: number[], expected: number[]) =>
      expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 5));
    close(await embed(37, 6, false, 0), [...sines, ...cosines]);
    close(await embed(37, 6, true, 0), [...cosines, ...sines]);
    close((await embed(37, 6, true, 1)).slice(2, 3), [Math.cos(37 / 10000)]);
  });

  it('pads an odd width with zero', async () => {
    expect(await embed(5, 7, true, 0)).toHaveLength(7);
    expect((await embed(5, 7, true, 0))[6]).toBe(0);
  });
});

/** A builder over weights that have shapes and lie nowhere. */
function builder(shapes: Record<string, number[]>): GraphBuilder {
  const weights: WeightSource = {
    description: 'test',
    has: (name) => name in shapes,
    names: () => Object.keys(shapes),
    get: (name) => ({ name, dtype: 'float32', shape: shapes[name]!, file: '/nowhere', offset: 0, length: 0 }),
  };
  return GraphBuilder.create('block', { weights });
}
