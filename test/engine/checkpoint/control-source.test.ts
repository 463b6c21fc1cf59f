import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openControlSource } from '../../../lib/engine/checkpoint/control-source.ts';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { bytesOf, readWeight, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { parseControlNetConfig } from '../../../lib/engine/networks/controlnet/config.ts';
import { expectFits } from '../../../lib/engine/networks/controlnet/fit.ts';
import { parseUnetConfig } from '../../../lib/engine/networks/unet/config.ts';
import { type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import names from '../../golden/single-file/control-names.json' with { type: 'json' };

const folder = 'test/golden/tiny-controlnet';
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'encore-control-'));
});
afterAll(() => rm(scratch, { recursive: true }));

/** tiny-controlnet as its authors' code would have saved it. Names were made and checked in Python. */
async function writeSingleFile(prefix: string, leaveOut = /^$/): Promise<string> {
  const { weights } = await openControlSource(folder);
  const original: Record<string, Tensor> = {};
  for (const [old, now] of Object.entries(names.names)) {
    if (!leaveOut.test(old)) original[prefix + old] = await readWeight(weights.get(now));
  }
  const path = join(scratch, `control${prefix.length}.safetensors`);
  await writeSafetensors(path, original);
  return path;
}

describe('a ControlNet in a single file', () => {
  it.each(['control_model.', ''])(
    'has every tensor under its name in diffusers, prefix "%s"',
    async (prefix) => {
      const [expected, found] = [
        await openControlSource(folder),
        await openControlSource(await writeSingleFile(prefix)),
      ];
      expect([...found.weights.names()].sort()).toEqual([...expected.weights.names()].sort());
      for (const name of expected.weights.names()) {
        const [a, b] = [
          await readWeight(found.weights.get(name)),
          await readWeight(expected.weights.get(name)),
        ];
        expect(a.shape, name).toEqual(b.shape);
        expect(Buffer.from(bytesOf(a.data)).equals(bytesOf(b.data)), name).toBe(true);
      }
      const [a, b] = [parseControlNetConfig(found.config), parseControlNetConfig(expected.config)];
      // Neither the number of heads nor the groups of a norm can be told from shapes.
      const shape = ({ unet, ...own }: typeof a) => ({
        ...own,
        channels: unet.channels,
        text: unet.textWidth,
        inChannels: unet.inChannels,
        blocks: unet.downBlocks.map(({ transformer, ...block }) => ({
          ...block,
          attends: transformer !== null,
        })),
      });
      expect(shape(a)).toEqual(shape(b));
    },
  );

  it('is called by its name where a model is asked for', async () => {
    await expect(openModel(await writeSingleFile('control_model.'))).rejects.toThrow(
      'is a ControlNet, not a model',
    );
  });

  it('names file and tensor where one is missing', async () => {
    const { weights } = await openControlSource(await writeSingleFile('', /^middle_block_out/));
    expect(() => weights.get('controlnet_mid_block.weight')).toThrow(
      /control0\.safetensors: tensor "controlnet_mid_block\.weight" is missing/,
    );
  });
});

describe('what is no ControlNet', () => {
  it.each([
    ['a model', 'test/golden/tiny-sd', 'is a StableDiffusionPipeline, not a ControlNetModel'],
    ['a UNet', 'test/golden/tiny-sd/unet', 'is a UNet2DConditionModel, not a ControlNetModel'],
    [
      'weights without their config',
      `${folder}/diffusion_pytorch_model.safetensors`,
      'is no ControlNet in one file',
    ],
  ])('is refused with what it is: %s', async (_, path, message) => {
    await expect(openControlSource(path)).rejects.toMatchObject({ code: 'checkpoint_unsupported' });
    await expect(openControlSource(path)).rejects.toThrow(message);
  });

  it('is refused as a pickle before it is read', async () => {
    const path = join(scratch, 'control.pth');
    await writeFile(path, 'x');
    await expect(openControlSource(path)).rejects.toThrow('is a pickle');
  });
});

describe('a ControlNet beside a UNet', () => {
  const base = { block_out_channels: [8, 16], norm_num_groups: 4, attention_head_dim: 2 };
  const types = { down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'] };
  const up = { up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'] };
  const control = (json: object) => ({
    name: 'lines',
    config: parseControlNetConfig({ ...base, ...types, cross_attention_dim: 12, ...json }),
  });
  const unet = (json: object) => ({
    name: 'painter',
    config: parseUnetConfig({ ...base, ...types, ...up, cross_attention_dim: 12, ...json }),
  });

  it('fits where channels, levels and text are the same, inpainting UNets too', () => {
    expect(() => expectFits(control({}), unet({}), 8)).not.toThrow();
    expect(() => expectFits(control({}), unet({ in_channels: 9 }), 8)).not.toThrow();
  });

  it.each<[string, object, object, number]>([
    ['text width (cross_attention_dim) 12, not 24', {}, { cross_attention_dim: 24 }, 8],
    ['channels per level 8, 16, not 8, 24', {}, { block_out_channels: [8, 24] }, 8],
    ['layers per level 1, 1, not 2, 2', { layers_per_block: 1 }, {}, 8],
    ['channels of latents 16, not 4', { in_channels: 16 }, {}, 8],
    ['pixels per latent 4, not 8', { conditioning_embedding_out_channels: [4, 8, 8] }, {}, 8],
  ])('is refused with both names: %s', (difference, a, b, scale) => {
    expect(() => expectFits(control(a), unet(b), scale)).toThrow(
      expect.objectContaining({
        code: 'invalid_parameter',
        message: `the ControlNet lines does not fit painter: ${difference}`,
      }),
    );
  });
});
