import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { EncoreError } from '../../../contracts/errors.ts';
import { GraphBuilder } from '../../onnx/builder.ts';
import type { ComputeType } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { int64 } from '../../tensor/tensor.ts';
import { embedding, layerNorm, linear } from '../layers.ts';
import type { ClipTextConfig } from './config.ts';

export interface ClipTextSize {
  rows: number;
  /** Tokens of a row, at most `positions`. */
  tokens: number;
  /** Layers left out at the end; the final norm is applied all the same, as in diffusers. Default 0. */
  clipSkip?: number;
  /** Reads vectors of textual inversions besides ids: inputs `kept` [R, L, 1] and `inserted` [R, L, D]. */
  inserts?: boolean;
  weights: WeightSource;
  dtype?: ComputeType;
}

/**
 * CLIPTextModel. Input `input_ids` int64 [R, L]; outputs `last_hidden_state` [R, L, D] after the final norm,
 * `pooler_output` [R, D] at the end token, and `text_embeds` [R, P] where there is a projection.
 * transformers: models/clip/modeling_clip.py
 */
export function buildClipText(config: ClipTextConfig, size: ClipTextSize): Graph {
  const { rows, tokens, clipSkip = 0 } = size;
  const layers = config.layers - clipSkip;
  if (layers < 1) {
    throw new EncoreError(
      'invalid_parameter',
      `clip skip ${clipSkip} leaves none of ${config.layers} layers`,
    );
  }
  const root = GraphBuilder.create('text_encoder', size);
  if (tokens > config.positions) {
    throw new EncoreError(
      'invalid_parameter',
      `${tokens} tokens for ${config.positions} positions of the text encoder`,
    );
  }
  // Saved with and without this prefix, by version of transformers.
  const g = root.has('text_model.final_layer_norm.weight') ? root.at('text_model') : root;
  const ids = root.input('input_ids', 'int64', [rows, tokens]);
  const words = embedding(g.at('embeddings.token_embedding'), ids);
  let h = embeddings(g.at('embeddings'), size.inserts ? withInserted(root, words) : words);
  for (let i = 0; i < layers; i++) h = encoderLayer(g.at('encoder.layers', i), config, h);
  h = layerNorm(g.at('final_layer_norm'), h, config.epsilon);
  const pooled = atEndToken(g, config, h, ids);
  root.output('last_hidden_state', h);
  root.output('pooler_output', pooled);
  if (root.has('text_projection.weight'))
    root.output('text_embeds', linear(root.at('text_projection'), pooled));
  return compile(root.finish());
}

/** words: [R, L, D] */
function embeddings(g: GraphBuilder, words: Value): Value {
  const positions = g.at('position_embedding').weight('weight');
  return g.add(words, g.slice(positions, 0, 0, words.shape[1] ?? 0));
}

/** `inserted` where `kept` is 0, the words where it is 1. Exact: one of the two terms is 0. */
function withInserted(g: GraphBuilder, words: Value): Value {
  const [rows = 0, tokens = 0] = words.shape;
  const kept = g.cast(g.input('kept', 'float32', [rows, tokens, 1]), g.dtype);
  const inserted = g.cast(g.input('inserted', 'float32', words.shape), g.dtype);
  return g.add(g.mul(words, kept), inserted);
}

/** CLIPEncoderLayer: pre-norm, causal. x: [R, L, D] */
function encoderLayer(g: GraphBuilder, config: ClipTextConfig, x: Value): Value {
  const attn = g.at('self_attn');
  const normed = layerNorm(g.at('layer_norm1'), x, config.epsilon);
  const mixed = g.attention(
    linear(attn.at('q_proj'), normed),
    linear(attn.at('k_proj'), normed),
    linear(attn.at('v_proj'), normed),
    { heads: config.heads, causal: true },
  );
  const h = g.add(x, linear(attn.at('out_proj'), mixed));
  const mlp = g.at('mlp');
  const inner = linear(mlp.at('fc1'), layerNorm(g.at('layer_norm2'), h, config.epsilon));
  return g.add(h, linear(mlp.at('fc2'), g.activation(inner, config.activation)));
}

/** Each row's state at its first end token. x: [R, L, D] to [R, D]. */
function atEndToken(g: GraphBuilder, config: ClipTextConfig, x: Value, ids: Value): Value {
  const [rows = 0, tokens = 0, width = 0] = x.shape;
  const score =
    config.endToken === null
      ? ids
      : g.cast(g.emit('Equal', [ids, g.constant('end token', int64([1], [config.endToken]))]), 'int32');
  const position = g.emit('ArgMax', [score], { axis: 1, keepdims: 0 });
  const starts = g.constant(
    'row starts',
    int64(
      [rows],
      Array.from({ length: rows }, (_, i) => i * tokens),
    ),
  );
  return g.gather(g.reshape(x, [rows * tokens, width]), g.add(position, starts));
}
