import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import { groupNorm, layerNorm, linear, toImage, toSequence } from './layers.ts';

export interface TransformerConfig {
  heads: number;
  layers: number;
  groups: number;
  /** attn1 reads the text as well: no self-attention (the x4 upscaler). */
  onlyCrossAttention: boolean;
  /** Attention in float32 where the network computes in less (SD 2.x). */
  upcastAttention: boolean;
}

/**
 * Transformer2DModel. x: [R, C, h, w], text: [R', L, D] where R' is R or a divisor of it to [R, C, h, w]. proj_in and
 * proj_out are linear layers over channels in both spellings (1x1 convolution or `use_linear_projection`).
 * diffusers: models/transformers/transformer_2d.py
 */
export function transformer2d(g: GraphBuilder, x: Value, text: Value, config: TransformerConfig): Value {
  const [, , height = 0, width = 0] = x.shape;
  const normed = groupNorm(g.at('norm'), x, config.groups, 1e-6);
  let h = linear(g.at('proj_in'), toSequence(g, normed));
  for (let i = 0; i < config.layers; i++) {
    h = basicTransformerBlock(g.at('transformer_blocks', i), h, text, config);
  }
  return g.add(toImage(g, linear(g.at('proj_out'), h), height, width), x);
}

/** x: [R, S, C]. diffusers: models/attention.py BasicTransformerBlock */
function basicTransformerBlock(g: GraphBuilder, x: Value, text: Value, config: TransformerConfig): Value {
  const norm1 = layerNorm(g.at('norm1'), x);
  let h = g.add(attention(g.at('attn1'), norm1, config.onlyCrossAttention ? text : norm1, config), x);
  h = g.add(attention(g.at('attn2'), layerNorm(g.at('norm2'), h), text, config), h);
  return g.add(feedForward(g.at('ff'), layerNorm(g.at('norm3'), h)), h);
}

/** x: [R, S, C], context: [R, L, D]. diffusers: models/attention_processor.py Attention */
function attention(g: GraphBuilder, x: Value, context: Value, config: TransformerConfig): Value {
  const projections = [linear(g.at('to_q'), x), linear(g.at('to_k'), context), linear(g.at('to_v'), context)];
  const dtype = config.upcastAttention ? 'float32' : g.dtype;
  const [q, k, v] = projections.map((value) => g.cast(value, dtype)) as [Value, Value, Value];
  const mixed = g.cast(g.attention(q, k, v, { heads: config.heads }), g.dtype);
  return linear(g.at('to_out.0'), mixed);
}

/** GEGLU, then a linear layer: hidden * gelu(gate), where `proj` stacks hidden and gate in this order. */
function feedForward(g: GraphBuilder, x: Value): Value {
  const proj = g.at('net.0.proj');
  const inner = (proj.weight('weight').shape[0] ?? 0) / 2;
  const hidden = linear(proj, x, [0, inner]);
  const gate = linear(proj, x, [inner, 2 * inner]);
  return linear(g.at('net.2'), g.mul(hidden, g.gelu(gate)));
}
