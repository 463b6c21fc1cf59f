import { z } from 'zod';
import { EncoreError } from '../../../contracts/errors.ts';
import { activationNames, type ActivationName } from '../../onnx/builder.ts';
import { count, layerCount, parseConfig } from '../parse-config.ts';

/** config.json of AutoencoderKL with the defaults of diffusers (models/autoencoders/autoencoder_kl.py). */
const klSchema = z.object({
  in_channels: count.default(3),
  out_channels: count.default(3),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(count).min(1).max(16).default([64]),
  layers_per_block: layerCount.default(1),
  act_fn: z.enum(activationNames).default('silu'),
  latent_channels: count.default(4),
  norm_num_groups: count.default(32),
  scaling_factor: z.number().default(0.18215),
  shift_factor: z.number().nullable().default(null),
  latents_mean: z.null().default(null),
  latents_std: z.null().default(null),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
});

/** config.json of AutoencoderTiny with the defaults of diffusers (models/autoencoders/autoencoder_tiny.py). */
const tinySchema = z.object({
  in_channels: count.default(3),
  out_channels: count.default(3),
  encoder_block_out_channels: z.array(count).default([64, 64, 64, 64]),
  decoder_block_out_channels: z.array(count).default([64, 64, 64, 64]),
  act_fn: z.enum(activationNames).default('relu'),
  upsample_fn: z.literal('nearest').default('nearest'),
  latent_channels: count.default(4),
  upsampling_scaling_factor: count.default(2),
  num_encoder_blocks: z.array(z.int().min(0).max(200)).min(1).max(16).default([1, 3, 3, 3]),
  num_decoder_blocks: z.array(z.int().min(0).max(200)).min(1).max(16).default([3, 3, 3, 1]),
  scaling_factor: z.number().default(1),
  shift_factor: z.number().nullable().default(0),
});

interface AutoencoderCommon {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  readonly activation: ActivationName;
  /** Latents of the denoiser = (the autoencoder's latents - shift) * scaling. */
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** Pixels per latent, each way. */
  readonly scale: number;
}

export interface AutoencoderKLConfig extends AutoencoderCommon {
  readonly kind: 'kl';
  readonly channels: readonly number[];
  readonly layers: number;
  readonly groups: number;
  readonly hasQuantConv: boolean;
  readonly hasPostQuantConv: boolean;
  readonly midAttention: boolean;
}

export interface AutoencoderTinyConfig extends AutoencoderCommon {
  readonly kind: 'tiny';
  readonly encoder: readonly TinyStage[];
  readonly decoder: readonly TinyStage[];
  readonly upsampling: number;
}

interface TinyStage {
  readonly blocks: number;
  readonly channels: number;
}

export type AutoencoderConfig = AutoencoderKLConfig | AutoencoderTinyConfig;

/** `className` as in model_index.json. Throws `checkpoint_unsupported` naming the class or the field. */
export function parseAutoencoderConfig(className: string, json: unknown): AutoencoderConfig {
  if (className === 'AutoencoderKL') return parseKl(json);
  if (className === 'AutoencoderTiny') return parseTiny(json);
  throw new EncoreError('checkpoint_unsupported', `there is no autoencoder ${className} here`, {
    remedy: 'AutoencoderKL and AutoencoderTiny are supported.',
  });
}

function parseKl(json: unknown): AutoencoderKLConfig {
  const c = parseConfig('AutoencoderKL', klSchema, json);
  return {
    kind: 'kl',
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    latentChannels: c.latent_channels,
    activation: c.act_fn,
    scalingFactor: c.scaling_factor,
    shiftFactor: c.shift_factor ?? 0,
    scale: 2 ** (c.block_out_channels.length - 1),
    channels: c.block_out_channels,
    layers: c.layers_per_block,
    groups: c.norm_num_groups,
    hasQuantConv: c.use_quant_conv,
    hasPostQuantConv: c.use_post_quant_conv,
    midAttention: c.mid_block_add_attention,
  };
}

function parseTiny(json: unknown): AutoencoderTinyConfig {
  const c = parseConfig('AutoencoderTiny', tinySchema, json);
  const stages = (channels: readonly number[], blocks: readonly number[]): TinyStage[] =>
    blocks.map((n, i) => ({ blocks: n, channels: channels[i] ?? 0 }));
  return {
    kind: 'tiny',
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    latentChannels: c.latent_channels,
    activation: c.act_fn,
    scalingFactor: c.scaling_factor,
    shiftFactor: c.shift_factor ?? 0,
    scale: c.upsampling_scaling_factor ** (c.num_decoder_blocks.length - 1),
    encoder: stages(c.encoder_block_out_channels, c.num_encoder_blocks),
    decoder: stages(c.decoder_block_out_channels, c.num_decoder_blocks),
    upsampling: c.upsampling_scaling_factor,
  };
}
