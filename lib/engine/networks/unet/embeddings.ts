import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Value } from '../../onnx/graph.ts';
import { embedding, layerNorm, linear, timesteps } from '../layers.ts';
import type { UnetConfig } from './config.ts';

/** What the time embedding reads beside the time: constant over a run, one row per row of the batch. */
export interface RowConditioning {
  /** [R, L, D] */
  text: Value;
  /** [R] or, for projections, [R, width] */
  classLabels: Value | null;
  /** `text_time`: [R, width] */
  textEmbeds: Value | null;
  /** `text_time`: [R, 6] */
  timeIds: Value | null;
}

/**
 * The complete time embedding, activated for the resnets: time, class and added embeddings, and `time_embed_act`.
 * t: [S] steps of R rows of F frames each to [S*R*F, T], row (s * R + r) * F + f; at S = 1 without class and added
 * embeddings [1, T] (the same for every row).
 */
export function completeTimeEmbedding(
  g: GraphBuilder,
  config: UnetConfig,
  t: Value,
  rowTerms: readonly Value[],
  { rows, frames }: { rows: number; frames: number },
): Value {
  const steps = t.shape[0] ?? 0;
  let time = timestepEmbedding(g.at('time_embedding'), timesteps(g, t, timeProjection(config)), config);
  const width = time.shape[1] ?? 0;
  if (steps > 1) time = g.reshape(time, [steps, 1, width]);
  for (const term of rowTerms) time = g.add(time, term);
  if (steps > 1 && rowTerms.length === 0) time = g.expand(time, [steps, rows * frames, width]);
  if (frames > 1 && rowTerms.length > 0) {
    time = g.expand(g.reshape(time, [steps, rows, 1, width]), [steps, rows, frames, width]);
  }
  if (time.shape.length > 2) time = g.reshape(time, [steps * rows * frames, width]);
  if (config.timeEmbeddingAct) time = g.activation(time, config.timeEmbeddingAct);
  return g.activation(time, config.activation);
}

/** The terms of the time embedding that do not depend on time, each [R, T]. */
export function rowTimeTerms(g: GraphBuilder, config: UnetConfig, rows: RowConditioning): Value[] {
  const terms: Value[] = [];
  if (config.classEmbed && rows.classLabels) terms.push(classEmbedding(g, config, rows.classLabels));
  if (config.additionEmbed === 'text')
    terms.push(textTimeEmbedding(g.at('add_embedding'), config, rows.text));
  if (config.additionEmbed === 'text_time' && rows.textEmbeds && rows.timeIds) {
    const ids = g.reshape(rows.timeIds, [-1]);
    const times = timesteps(g, ids, { ...timeProjection(config), width: config.additionTimeWidth });
    const flat = g.reshape(times, [rows.timeIds.shape[0] ?? 0, -1]);
    const added = g.concat([rows.textEmbeds, flat], 1);
    terms.push(timestepEmbedding(g.at('add_embedding'), added, config));
  }
  return terms;
}

function timeProjection(config: UnetConfig): { width: number; flipSinToCos: boolean; freqShift: number } {
  return { width: config.channels[0] ?? 0, flipSinToCos: config.flipSinToCos, freqShift: config.freqShift };
}

function classEmbedding(g: GraphBuilder, config: UnetConfig, labels: Value): Value {
  const at = g.at('class_embedding');
  switch (config.classEmbed) {
    case 'timestep':
      return timestepEmbedding(at, timesteps(g, labels, timeProjection(config)), config);
    case 'projection':
      return timestepEmbedding(at, labels, config);
    case 'simple_projection':
      return linear(at, labels);
    case 'embedding':
      return embedding(at, labels);
    case 'identity':
    case null:
      return labels;
  }
}

/** TimestepEmbedding: two linear layers. diffusers: models/embeddings.py */
function timestepEmbedding(g: GraphBuilder, x: Value, config: UnetConfig): Value {
  const h = linear(g.at('linear_2'), g.activation(linear(g.at('linear_1'), x), config.activation));
  return config.timestepPostAct && g.path === 'time_embedding' ? g.activation(h, config.timestepPostAct) : h;
}

/**
 * TextTimeEmbedding: the text pooled by attention of its mean. text: [R, L, D] to [R, T].
 * diffusers: models/embeddings.py
 */
function textTimeEmbedding(g: GraphBuilder, config: UnetConfig, text: Value): Value {
  const pool = g.at('pool');
  const states = layerNorm(g.at('norm1'), text);
  const query = g.add(g.mean(states, 1), pool.weight('positional_embedding')); // [R, 1, D]
  const all = g.concat([query, states], 1);
  const pooled = g.attention(
    linear(pool.at('q_proj'), query),
    linear(pool.at('k_proj'), all),
    linear(pool.at('v_proj'), all),
    { heads: config.additionHeads },
  );
  const flat = g.reshape(pooled, [0, pooled.shape[2] ?? 0]);
  return layerNorm(g.at('norm2'), linear(g.at('proj'), flat));
}
