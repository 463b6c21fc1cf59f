import { z } from 'zod';
import { EncoreError } from '../../../contracts/errors.ts';
import { activationNames } from '../../onnx/builder.ts';

const count = z.int().min(1);

/** config.json of AutoencoderTiny with the defaults of diffusers (models/autoencoders/autoencoder_tiny.py). */
const schema = z.object({
  in_channels: count.default(3),
  out_channels: count.default(3),
  encoder_block_out_channels: z.array(count).default([64, 64, 64, 64]),
  decoder_block_out_channels: z.array(count).default([64, 64, 64, 64]),
  act_fn: z.enum(activationNames).default('relu'),
  upsample_fn: z.literal('nearest').default('nearest'),
  latent_channels: count.default(4),
  upsampling_scaling_factor: count.default(2),
  num_encoder_blocks: z.array(z.int().min(0)).default([1, 3, 3, 3]),
  num_decoder_blocks: z.array(z.int().min(0)).default([3, 3, 3, 1]),
  scaling_factor: z.number().default(1),
  shift_factor: z.number().nullable().default(0),
});

export type AutoencoderTinyConfig = ReturnType<typeof parseAutoencoderTinyConfig>;

/** Throws `checkpoint_unsupported` naming the field. */
export function parseAutoencoderTinyConfig(json: unknown) {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new EncoreError(
      'checkpoint_unsupported',
      `AutoencoderTiny: config.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is malformed'}`,
    );
  }
  const c = parsed.data;
  const stages = (channels: readonly number[], blocks: readonly number[]) =>
    blocks.map((n, i) => ({ blocks: n, channels: channels[i] ?? 0 }));
  return {
    kind: 'tiny' as const,
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    latentChannels: c.latent_channels,
    activation: c.act_fn,
    encoder: stages(c.encoder_block_out_channels, c.num_encoder_blocks),
    decoder: stages(c.decoder_block_out_channels, c.num_decoder_blocks),
    upsampling: c.upsampling_scaling_factor,
    /** Latents of the denoiser = (autoencoder's latents - shift) * scaling. */
    scalingFactor: c.scaling_factor,
    shiftFactor: c.shift_factor ?? 0,
    /** Pixels per latent, each way. */
    scale: c.upsampling_scaling_factor ** (c.num_decoder_blocks.length - 1),
  };
}
