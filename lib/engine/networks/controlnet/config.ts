import { z } from 'zod';
import { count, parseConfig } from '../parse-config.ts';
import { parseUnetConfig, type UnetConfig } from '../unet/config.ts';

/** What config.json of ControlNetModel has beside a UNet's (models/controlnets/controlnet.py of diffusers). */
const schema = z.object({
  conditioning_channels: count.default(3),
  conditioning_embedding_out_channels: z.array(count).min(1).max(16).default([16, 32, 96, 256]),
  controlnet_conditioning_channel_order: z.literal('rgb').default('rgb'),
  global_pool_conditions: z.literal(false).default(false),
  down_block_types: z.array(z.string()).min(1).max(16).optional(),
});

export interface ControlNetConfig {
  /** The encoder, whose shape is that of the UNet it controls. */
  readonly unet: UnetConfig;
  readonly conditioningChannels: number;
  readonly embeddingChannels: readonly number[];
  /** Pixels of the conditioning picture per latent, each way. */
  readonly scale: number;
}

/** Throws `checkpoint_unsupported` naming the field. */
export function parseControlNetConfig(json: unknown): ControlNetConfig {
  const c = parseConfig('ControlNetModel', schema, json);
  // It has no up path; one of the same depth satisfies the schema and is never built.
  const up = c.down_block_types?.map(() => 'UpBlock2D');
  return {
    unet: parseUnetConfig({ ...(json as object), ...(up ? { up_block_types: up } : {}) }),
    conditioningChannels: c.conditioning_channels,
    embeddingChannels: c.conditioning_embedding_out_channels,
    scale: 2 ** (c.conditioning_embedding_out_channels.length - 1),
  };
}
