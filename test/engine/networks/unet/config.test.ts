import { describe, expect, it } from 'vitest';
import { parseUnetConfig } from '../../../../lib/engine/networks/unet/config.ts';
import { featureShapes } from '../../../../lib/engine/networks/unet/halves.ts';

describe('parseUnetConfig', () => {
  it('has the defaults of diffusers: the shape of SD 1.x', () => {
    const config = parseUnetConfig({ cross_attention_dim: 768 });
    expect(
      config.downBlocks.map(({ channels, transformer }) => [channels, transformer?.heads ?? null]),
    ).toEqual([
      [320, 8],
      [640, 8],
      [1280, 8],
      [1280, null],
    ]);
    expect(config.upBlocks.map(({ channels, resnets, resamples }) => [channels, resnets, resamples])).toEqual(
      [
        [1280, 3, true],
        [1280, 3, true],
        [640, 3, true],
        [320, 3, false],
      ],
    );
    expect(config).toMatchObject({
      inChannels: 4,
      groups: 32,
      epsilon: 1e-5,
      textWidth: 768,
      classEmbed: null,
    });
  });

  it('reads attention_head_dim as the number of heads, per level, as SD 2.x means it', () => {
    const config = parseUnetConfig({ attention_head_dim: [5, 10, 20, 20], use_linear_projection: true });
    expect(config.downBlocks.map(({ transformer }) => transformer?.heads)).toEqual([5, 10, 20, undefined]);
    expect(config.midTransformer?.heads).toBe(20);
    expect(config.upBlocks.map(({ transformer }) => transformer?.heads)).toEqual([undefined, 20, 10, 5]);
  });

  it('knows the x4 upscaler: noise level labels and levels that read the text alone', () => {
    const config = parseUnetConfig({
      in_channels: 7,
      num_class_embeds: 1000,
      only_cross_attention: [true, true, true, false],
    });
    expect(config).toMatchObject({ inChannels: 7, classEmbed: 'embedding' });
    expect(config.downBlocks[0]?.transformer?.onlyCrossAttention).toBe(true);
    expect(config.midTransformer?.onlyCrossAttention).toBe(false);
  });

  it.each([
    [{ down_block_types: ['SimpleCrossAttnDownBlock2D'] }, 'config.down_block_types.0'],
    [{ act_fn: 'prelu' }, 'config.act_fn'],
    [{ block_out_channels: [320, 640] }, 'config.down_block_types has 4 entries for 2 levels'],
    [{ layers_per_block: [2, 2] }, 'config.layers_per_block has 2 entries for 4 levels'],
    [{ dual_cross_attention: true }, 'config.dual_cross_attention'],
    [{ norm_num_groups: 0 }, 'config.norm_num_groups'],
    [{ layers_per_block: 1e9 }, 'config.layers_per_block'],
    ['not an object', 'UNet2DConditionModel'],
  ])('says which field of %j it does not know', (json, message) => {
    expect(() => parseUnetConfig(json)).toThrow(
      expect.objectContaining({
        code: 'checkpoint_unsupported',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});

describe('featureShapes', () => {
  it('is the twelve skips and the mid block of SD 1.x', () => {
    const shapes = featureShapes(parseUnetConfig({}), 64, 64);
    expect(shapes.map(([channels, height]) => `${channels}@${height}`)).toEqual([
      ...['320@64', '320@64', '320@64', '320@32'],
      ...['640@32', '640@32', '640@16'],
      ...['1280@16', '1280@16', '1280@8'],
      ...['1280@8', '1280@8'],
      '1280@8',
    ]);
  });

  it('rounds odd sizes up', () => {
    expect(featureShapes(parseUnetConfig({}), 9, 13).at(-1)).toEqual([1280, 2, 2]);
  });
});
