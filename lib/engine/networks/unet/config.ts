import { z } from 'zod';
import { EncoreError } from '../../../contracts/errors.ts';
import { activationNames, type ActivationName } from '../../onnx/builder.ts';
import { count, layerCount, parseConfig } from '../parse-config.ts';

const className = 'UNet2DConditionModel';

const oneOrMany = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]);

/** config.json of UNet2DConditionModel with the defaults of diffusers (models/unets/unet_2d_condition.py). */
const schema = z.object({
  in_channels: count.default(4),
  out_channels: count.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: z
    .array(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D']))
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  mid_block_type: z.literal('UNetMidBlock2DCrossAttn').nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: z
    .array(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D']))
    .default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  only_cross_attention: oneOrMany(z.boolean()).default(false),
  mid_block_only_cross_attention: z.boolean().nullable().default(null),
  block_out_channels: z.array(count).min(1).max(16).default([320, 640, 1280, 1280]),
  layers_per_block: oneOrMany(layerCount).default(2),
  downsample_padding: z.int().min(0).default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: z.enum(activationNames).default('silu'),
  norm_num_groups: count.default(32),
  norm_eps: z.number().default(1e-5),
  cross_attention_dim: oneOrMany(count).default(1280),
  transformer_layers_per_block: oneOrMany(layerCount).default(1),
  reverse_transformer_layers_per_block: z.array(layerCount).nullable().default(null),
  encoder_hid_dim: count.nullable().default(null),
  encoder_hid_dim_type: z.literal('text_proj').nullable().default(null),
  attention_head_dim: oneOrMany(count).default(8),
  num_attention_heads: z.null().default(null),
  dual_cross_attention: z.literal(false).default(false),
  use_linear_projection: z.boolean().default(false),
  class_embed_type: z
    .enum(['timestep', 'identity', 'projection', 'simple_projection'])
    .nullable()
    .default(null),
  addition_embed_type: z.enum(['text', 'text_time']).nullable().default(null),
  addition_embed_type_num_heads: count.default(64),
  addition_time_embed_dim: count.nullable().default(null),
  num_class_embeds: count.nullable().default(null),
  upcast_attention: z.boolean().default(false),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).default('default'),
  time_embedding_type: z.literal('positional').default('positional'),
  time_embedding_dim: count.nullable().default(null),
  time_embedding_act_fn: z.enum(activationNames).nullable().default(null),
  timestep_post_act: z.enum(activationNames).nullable().default(null),
  conv_in_kernel: count.default(3),
  conv_out_kernel: count.default(3),
  projection_class_embeddings_input_dim: count.nullable().default(null),
  attention_type: z.literal('default').default('default'),
  class_embeddings_concat: z.literal(false).default(false),
  cross_attention_norm: z.null().default(null),
});
type RawConfig = z.infer<typeof schema>;

/** One level of a UNet's down or up path. */
export interface UnetBlock {
  /** Layers: resnets, each with a transformer after it where `transformer` is set. */
  readonly resnets: number;
  readonly channels: number;
  /** A downsampler or upsampler ends the block. */
  readonly resamples: boolean;
  readonly transformer: UnetTransformer | null;
}

export interface UnetTransformer {
  readonly heads: number;
  readonly layers: number;
  readonly onlyCrossAttention: boolean;
}

/** A UNet2DConditionModel's config, its per-level lists resolved. */
export interface UnetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly centerInputSample: boolean;
  readonly flipSinToCos: boolean;
  readonly freqShift: number;
  readonly convInKernel: number;
  readonly convOutKernel: number;
  readonly channels: readonly number[];
  readonly downBlocks: readonly UnetBlock[];
  readonly midTransformer: UnetTransformer | null;
  readonly hasMidBlock: boolean;
  readonly midScaleFactor: number;
  readonly upBlocks: readonly UnetBlock[];
  readonly downsamplePadding: number;
  readonly activation: ActivationName;
  readonly groups: number;
  readonly epsilon: number;
  readonly timeScaleShift: 'default' | 'scale_shift';
  readonly upcastAttention: boolean;
  readonly timeEmbeddingAct: ActivationName | null;
  readonly timestepPostAct: ActivationName | null;
  /** Width of the time embedding. */
  readonly timeWidth: number;
  /** Width of encoder_hidden_states as they are given. */
  readonly textWidth: number;
  readonly projectsText: boolean;
  readonly classEmbed: 'embedding' | 'timestep' | 'identity' | 'projection' | 'simple_projection' | null;
  /** Width of class_labels where they are vectors. */
  readonly classWidth: number;
  readonly additionEmbed: 'text' | 'text_time' | null;
  readonly additionHeads: number;
  readonly additionTimeWidth: number;
  /** Width of text_embeds (`text_time`). */
  readonly textEmbedsWidth: number;
}

/** Throws `checkpoint_unsupported` naming the field where a config asks for what is not built here. */
export function parseUnetConfig(json: unknown): UnetConfig {
  const c = parseConfig(className, schema, json);
  if (c.addition_embed_type === 'text_time' && c.addition_time_embed_dim === null) {
    throw unsupported('config.addition_time_embed_dim must be set for addition_embed_type text_time');
  }
  const projection = c.projection_class_embeddings_input_dim ?? 0;
  const additionTimeWidth = c.addition_time_embed_dim ?? 0;
  return {
    ...blocksOf(c),
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    centerInputSample: c.center_input_sample,
    flipSinToCos: c.flip_sin_to_cos,
    freqShift: c.freq_shift,
    convInKernel: c.conv_in_kernel,
    convOutKernel: c.conv_out_kernel,
    channels: c.block_out_channels,
    hasMidBlock: c.mid_block_type !== null,
    midScaleFactor: c.mid_block_scale_factor,
    downsamplePadding: c.downsample_padding,
    activation: c.act_fn,
    groups: c.norm_num_groups,
    epsilon: c.norm_eps,
    timeScaleShift: c.resnet_time_scale_shift,
    upcastAttention: c.upcast_attention,
    timeEmbeddingAct: c.time_embedding_act_fn,
    timestepPostAct: c.timestep_post_act,
    timeWidth: c.time_embedding_dim ?? 4 * c.block_out_channels[0]!,
    textWidth: c.encoder_hid_dim ?? perLevel(c, 'cross_attention_dim', c.cross_attention_dim)[0]!,
    projectsText: c.encoder_hid_dim !== null,
    classEmbed: c.class_embed_type ?? (c.num_class_embeds === null ? null : 'embedding'),
    classWidth: projection,
    additionEmbed: c.addition_embed_type,
    additionHeads: c.addition_embed_type_num_heads,
    additionTimeWidth,
    textEmbedsWidth: projection - 6 * additionTimeWidth,
  };
}

/** The levels of both paths and the middle. Up blocks run from the coarsest level to the finest. */
function blocksOf(c: RawConfig): Pick<UnetConfig, 'downBlocks' | 'midTransformer' | 'upBlocks'> {
  // The config says head dim and means head count: diffusers issue 2011.
  const heads = perLevel(c, 'attention_head_dim', c.attention_head_dim);
  const resnets = perLevel(c, 'layers_per_block', c.layers_per_block);
  const transformerLayers = perLevel(c, 'transformer_layers_per_block', c.transformer_layers_per_block);
  const onlyCross = perLevel(c, 'only_cross_attention', c.only_cross_attention);
  const downTypes = perLevel(c, 'down_block_types', c.down_block_types);
  const upTypes = perLevel(c, 'up_block_types', c.up_block_types);
  const upTransformerLayers =
    c.reverse_transformer_layers_per_block === null
      ? [...transformerLayers].reverse()
      : perLevel(c, 'reverse_transformer_layers_per_block', c.reverse_transformer_layers_per_block);
  const last = c.block_out_channels.length - 1;
  const transformer = (level: number): UnetTransformer => ({
    heads: heads[level]!,
    layers: transformerLayers[level]!,
    onlyCrossAttention: onlyCross[level]!,
  });
  return {
    downBlocks: c.block_out_channels.map((channels, level) => ({
      resnets: resnets[level]!,
      channels,
      resamples: level !== last,
      transformer: downTypes[level] === 'CrossAttnDownBlock2D' ? transformer(level) : null,
    })),
    midTransformer: {
      ...transformer(last),
      onlyCrossAttention: c.mid_block_only_cross_attention ?? c.only_cross_attention === true,
    },
    upBlocks: c.block_out_channels.map((_, i) => {
      const level = last - i;
      return {
        resnets: resnets[level]! + 1,
        channels: c.block_out_channels[level]!,
        resamples: i !== last,
        transformer:
          upTypes[i] === 'CrossAttnUpBlock2D'
            ? { ...transformer(level), layers: upTransformerLayers[i]! }
            : null,
      };
    }),
  };
}

/** A field that has one value for all levels, or one for each. */
function perLevel<T>(c: RawConfig, field: keyof RawConfig, value: T | readonly T[]): readonly T[] {
  const levels = c.block_out_channels.length;
  const list = Array.isArray(value) ? (value as readonly T[]) : Array<T>(levels).fill(value as T);
  if (list.length === levels) return list;
  throw unsupported(`config.${field} has ${list.length} entries for ${levels} levels`);
}

function unsupported(message: string): EncoreError {
  return new EncoreError('checkpoint_unsupported', `${className}: ${message}`);
}
