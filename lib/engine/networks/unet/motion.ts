import { z } from 'zod';
import { EncoreError } from '../../../contracts/errors.ts';
import { float32 } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Value } from '../../onnx/graph.ts';
import { constant, groupNorm, layerNorm, linear } from '../layers.ts';
import { count, parseConfig } from '../parse-config.ts';
import { attention, feedForward } from '../transformer.ts';
import type { UnetConfig } from './config.ts';

// AnimateDiff (Guo et al., 2023, arXiv 2307.04725): transformers over time between the layers of a UNet, trained apart
// from it. diffusers: models/unets/unet_motion_model.py, MotionAdapter and AnimateDiffTransformer3D

const perLevel = z.union([count, z.array(count)]);

const schema = z.object({
  block_out_channels: z.array(count).min(1).max(16).default([320, 640, 1280, 1280]),
  motion_layers_per_block: perLevel.default(2),
  motion_transformer_layers_per_block: perLevel.default(1),
  motion_mid_block_layers_per_block: z.literal(1).default(1),
  motion_transformer_layers_per_mid_block: z.union([count, z.array(count).length(1)]).default(1),
  motion_num_attention_heads: perLevel.default(8),
  motion_norm_num_groups: count.default(32),
  motion_max_seq_length: count.max(1024).default(32),
  use_motion_mid_block: z.boolean().default(true),
  // PIA, which reads a picture beside the latents.
  conv_in_channels: z.null().default(null),
});

/** A motion adapter's config beside the UNet it belongs to, lists resolved by level of the down path. */
export interface MotionConfig {
  readonly heads: readonly number[];
  readonly layers: readonly number[];
  /** null where the mid block has none. */
  readonly midLayers: number | null;
  readonly groups: number;
  /** Most frames it can tell apart. */
  readonly maxFrames: number;
}

/** Throws `checkpoint_unsupported` naming the field that is not built here, or that does not fit the UNet. */
export function parseMotionConfig(json: unknown, unet: UnetConfig): MotionConfig {
  const c = parseConfig('MotionAdapter', schema, json);
  const levels = unet.downBlocks.length;
  const resolve = (field: string, value: number | readonly number[]): readonly number[] => {
    const list = typeof value === 'number' ? Array<number>(levels).fill(value) : value;
    if (list.length === levels) return list;
    throw unsupported(`config.${field} has ${list.length} entries, the UNet has ${levels} levels`);
  };
  const fits = (field: string, own: readonly number[], theirs: readonly number[]): void => {
    if (own.join() === theirs.join()) return;
    throw unsupported(`config.${field} is ${own.join(', ')}, the UNet has ${theirs.join(', ')}`);
  };
  fits('block_out_channels', c.block_out_channels, unet.channels);
  fits(
    'motion_layers_per_block',
    resolve('motion_layers_per_block', c.motion_layers_per_block),
    unet.downBlocks.map(({ resnets }) => resnets),
  );
  const [midLayers] = [c.motion_transformer_layers_per_mid_block].flat();
  return {
    heads: resolve('motion_num_attention_heads', c.motion_num_attention_heads),
    layers: resolve('motion_transformer_layers_per_block', c.motion_transformer_layers_per_block),
    midLayers: c.use_motion_mid_block ? (midLayers ?? 1) : null,
    groups: c.motion_norm_num_groups,
    maxFrames: c.motion_max_seq_length,
  };
}

export interface MotionModule {
  /** Frames F of each video. */
  readonly frames: number;
  readonly heads: number;
  readonly layers: number;
  readonly groups: number;
}

/** AnimateDiffTransformer3D: every position looks at itself in all frames. x: [R F, C, h, w] to the same. */
export function motionModule(g: GraphBuilder, x: Value, config: MotionModule): Value {
  const { frames, heads, layers, groups } = config;
  const [rows = 0, channels = 0, height = 0, width = 0] = x.shape;
  const videos = rows / frames;
  const area = height * width;
  const clips = g.transpose(g.reshape(x, [videos, frames, channels, area]), [0, 2, 1, 3]);
  const normed = g.transpose(groupNorm(g.at('norm'), clips, groups, 1e-6), [0, 3, 2, 1]);
  let h = linear(g.at('proj_in'), g.reshape(normed, [videos * area, frames, channels]));
  for (let i = 0; i < layers; i++) h = temporalBlock(g.at('transformer_blocks', i), h, heads);
  const out = g.reshape(linear(g.at('proj_out'), h), [videos, area, frames, channels]);
  return g.add(g.reshape(g.transpose(out, [0, 2, 3, 1]), x.shape), x);
}

/** BasicTransformerBlock with `double_self_attention` and sinusoidal positions. x: [N, F, C] */
function temporalBlock(g: GraphBuilder, x: Value, heads: number): Value {
  const [, frames = 0, channels = 0] = x.shape;
  const positions = positionsOf(g, frames, channels);
  let h = x;
  for (const part of [1, 2]) {
    const normed = g.add(layerNorm(g.at(`norm${part}`), h), positions);
    h = g.add(attention(g.at(`attn${part}`), normed, normed, { heads, upcastAttention: false }), h);
  }
  return g.add(feedForward(g.at('ff'), layerNorm(g.at('norm3'), h)), h);
}

/** The checkpoint's own [1, F, C] where it carries them. diffusers: SinusoidalPositionalEmbedding */
function positionsOf(g: GraphBuilder, frames: number, channels: number): Value {
  const stored = g.at('pos_embed');
  if (stored.has('pe')) return g.slice(stored.weight('pe'), 1, 0, frames);
  const waves = float32([1, frames, channels]);
  for (let f = 0; f < frames; f++) {
    for (let c = 0; c < channels; c++) {
      const angle = f * Math.exp((2 * Math.floor(c / 2) * -Math.log(10000)) / channels);
      waves.data[f * channels + c] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return constant(g, `positions ${frames} ${channels}`, waves);
}

function unsupported(message: string): EncoreError {
  return new EncoreError('checkpoint_unsupported', `MotionAdapter: ${message}`, {
    remedy: 'A motion adapter belongs to one family of models; most are for Stable Diffusion 1.5.',
  });
}
