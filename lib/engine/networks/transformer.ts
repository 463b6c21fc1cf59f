import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import { groupNorm, layerNorm, linear, toImage, toSequence } from './layers.ts';

export interface AttentionConfig {
  heads: number;
  /** Attention in float32 where the network computes in less (SD 2.x). */
  upcastAttention: boolean;
}

export interface TransformerConfig extends AttentionConfig {
  layers: number;
  groups: number;
  /** attn1 reads the text as well: no self-attention (the x4 upscaler). */
  onlyCrossAttention: boolean;
  crossFrame?: CrossFrame | undefined;
}

/**
 * Cross-frame attention: every frame's attn1 reads keys and values of the first frame (Text2Video-Zero, Khachatryan et
 * al., 2023, section 3.3.2). The graph of the first frame writes them as outputs `....attn1.key` and `.value`; the graph
 * of the others reads them under these names.
 */
export type CrossFrame = 'first' | 'rest';

/**
 * Transformer2DModel. x: [R, C, h, w], text: [R', L, D] to [R, C, h, w]. R' is R or a divisor of it: then R / R' rows after
 * each other, the frames of a video, read the same text. proj_in and proj_out are linear layers over channels in both spellings (1x1 convolution or `use_linear_projection`).
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
  let h = g.add(selfAttention(g.at('attn1'), norm1, text, config), x);
  h = g.add(attention(g.at('attn2'), layerNorm(g.at('norm2'), h), text, config), h);
  return g.add(feedForward(g.at('ff'), layerNorm(g.at('norm3'), h)), h);
}

/** x: [R, S, C]. The text says how many videos there are where rows are frames. */
function selfAttention(g: GraphBuilder, x: Value, text: Value, config: TransformerConfig): Value {
  if (config.onlyCrossAttention) return attention(g, x, text, config);
  const query = linear(g.at('to_q'), x);
  if (config.crossFrame === 'rest') {
    const given = (name: string): Value =>
      g.input(`${g.path}.${name}`, g.dtype, [text.shape[0] ?? 0, ...query.shape.slice(1)]);
    return attend(g, query, given('key'), given('value'), config);
  }
  const [key, value] = [linear(g.at('to_k'), x), linear(g.at('to_v'), x)] as const;
  if (config.crossFrame === 'first') {
    g.output(`${g.path}.key`, key);
    g.output(`${g.path}.value`, value);
  }
  return attend(g, query, key, value, config);
}

/** x: [R, S, C], context: [R', L, D]. diffusers: models/attention_processor.py Attention */
export function attention(g: GraphBuilder, x: Value, context: Value, config: AttentionConfig): Value {
  const query = linear(g.at('to_q'), x);
  return attend(g, query, linear(g.at('to_k'), context), linear(g.at('to_v'), context), config);
}

function attend(g: GraphBuilder, query: Value, key: Value, value: Value, config: AttentionConfig): Value {
  const dtype = config.upcastAttention ? 'float32' : g.dtype;
  const [rows = 0, length = 0, width = 0] = query.shape;
  const groups = key.shape[0] ?? 0;
  // Frames that read the same keys are one long sequence of queries: the keys are not copied for each of them.
  const joined = groups === rows ? query : g.reshape(query, [groups, (rows / groups) * length, width]);
  const [q, k, v] = [joined, key, value].map((part) => g.cast(part, dtype)) as [Value, Value, Value];
  const mixed = g.cast(g.attention(q, k, v, { heads: config.heads }), g.dtype);
  return linear(g.at('to_out.0'), groups === rows ? mixed : g.reshape(mixed, query.shape));
}

/** GEGLU, then a linear layer: hidden * gelu(gate), where `proj` stacks hidden and gate in this order. */
export function feedForward(g: GraphBuilder, x: Value): Value {
  const proj = g.at('net.0.proj');
  const inner = (proj.weight('weight').shape[0] ?? 0) / 2;
  const hidden = linear(proj, x, [0, inner]);
  const gate = linear(proj, x, [inner, 2 * inner]);
  return linear(g.at('net.2'), g.mul(hidden, g.gelu(gate)));
}
