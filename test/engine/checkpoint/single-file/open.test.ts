import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel, type ModelSource } from '../../../../lib/engine/checkpoint/model-source.ts';
import {
  bytesOf,
  readWeight,
  typedArray,
  writeSafetensors,
} from '../../../../lib/engine/checkpoint/safetensors.ts';
import { tensor, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import names from '../../../golden/single-file/names.json' with { type: 'json' };

type Name = 'tiny-sd' | 'tiny-sd2';
const components = ['unet', 'vae', 'text_encoder'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-single-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A tiny checkpoint's tensors by their names in diffusers, the text encoder's with their prefix. */
async function tensorsOf(model: ModelSource): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const component of components) {
    const { weights } = await model.network(component);
    for (const name of weights.names()) {
      const full =
        component === 'text_encoder' && !name.startsWith('text_model.') ? `text_model.${name}` : name;
      tensors.set(full, await readWeight(weights.get(name)));
    }
  }
  return tensors;
}

/** The same checkpoint as the original code would have saved it, with names made and checked in Python. */
async function writeSingleFile(
  name: Name,
  metadata: Record<string, string> = {},
  leaveOut = /^$/,
): Promise<string> {
  const tensors = await tensorsOf(await openModel(join('test/golden', name)));
  const original: Record<string, Tensor> = {};
  for (const [old, now] of Object.entries<string | string[]>(names[name])) {
    if (leaveOut.test(old)) continue;
    const parts = [now].flat().map((each) => tensors.get(each)!);
    const [{ dtype, shape }] = parts as [Tensor];
    const bytes = Buffer.concat(parts.map(({ data }) => bytesOf(data)));
    const stacked = parts.length === 1 ? shape : [parts.length * shape[0]!, ...shape.slice(1)];
    const convolution = /attn_1\.(q|k|v|proj_out)\.weight$/.test(old)
      ? [...stacked, 1, 1].slice(0, 4)
      : stacked;
    original[old] = tensor(dtype, convolution, typedArray(dtype, Uint8Array.from(bytes)) as never);
  }
  // What real files carry besides.
  original['alphas_cumprod'] = tensor('float32', [2], new Float32Array(2));
  original['model_ema.decay'] = tensor('float32', [], new Float32Array(1));
  if (name === 'tiny-sd2') addLastBlock(original);
  const path = join(folder, `${name}.safetensors`);
  await writeSafetensors(path, original, metadata);
  return path;
}

/** OpenCLIP's last block, which SD 2 does not use. */
function addLastBlock(tensors: Record<string, Tensor>): void {
  const root = 'cond_stage_model.model.transformer.resblocks.';
  const blocks = Object.keys(tensors).flatMap((name) =>
    name.startsWith(root) ? [Number(name.slice(root.length).split('.')[0])] : [],
  );
  const last = Math.max(...blocks);
  for (const [name, value] of Object.entries(tensors)) {
    if (name.startsWith(`${root}${last}.`)) tensors[name.replace(`.${last}.`, `.${last + 1}.`)] = value;
  }
}

describe.each<Name>(['tiny-sd', 'tiny-sd2'])('%s in a single file', (name) => {
  it('has every tensor under its name in diffusers, with the same bytes', async () => {
    const expected = await tensorsOf(await openModel(join('test/golden', name)));
    const found = await tensorsOf(await openModel(await writeSingleFile(name)));
    const positions = (key: string) => !key.endsWith('position_ids');
    expect([...found.keys()].filter(positions).sort()).toEqual([...expected.keys()].filter(positions).sort());
    for (const [key, { shape, data }] of expected) {
      if (!positions(key)) continue;
      expect(found.get(key)?.shape, key).toEqual(shape);
      expect(Buffer.from(bytesOf(found.get(key)!.data)).equals(bytesOf(data)), key).toBe(true);
    }
  });

  it('has the configs that its shapes tell', async () => {
    const expected = await openModel(join('test/golden', name));
    const found = await openModel(await writeSingleFile(name));
    const fields: Record<string, string[]> = {
      unet: [
        'in_channels',
        'out_channels',
        'block_out_channels',
        'layers_per_block',
        'down_block_types',
        'up_block_types',
        'cross_attention_dim',
        'use_linear_projection',
        'transformer_layers_per_block',
      ],
      vae: ['in_channels', 'out_channels', 'latent_channels', 'block_out_channels', 'layers_per_block'],
      text_encoder: [
        'vocab_size',
        'hidden_size',
        'intermediate_size',
        'max_position_embeddings',
        'num_hidden_layers',
        'hidden_act',
      ],
    };
    for (const [component, keys] of Object.entries(fields)) {
      const [a, b] = [await found.config(component), await expected.config(component)];
      for (const key of keys) expect(a[key], `${component} ${key}`).toEqual(b[key]);
    }
  });
});

describe('a single file', () => {
  it('predicts noise where it is SD 1, v where it is SD 2, and what its metadata say before either', async () => {
    const said = async (path: string) => {
      const model = await openModel(path);
      return [(await model.config('scheduler')).prediction_type, (await model.config('unet')).sample_size];
    };
    // SD 2.x that predicts v was trained at 768 pixels: 96 latents.
    expect(await said(await writeSingleFile('tiny-sd'))).toEqual(['epsilon', 64]);
    expect(await said(await writeSingleFile('tiny-sd2'))).toEqual(['v_prediction', 96]);
    const metadata = { 'modelspec.prediction_type': 'epsilon' };
    expect(await said(await writeSingleFile('tiny-sd2', metadata))).toEqual(['epsilon', 64]);
  });

  it.each([
    [/^first_stage_model/, 'has no autoencoder'],
    [/^cond_stage_model/, 'has no text encoder'],
    [/^model\./, 'is no Stable Diffusion checkpoint'],
  ])('without %s is refused with what it lacks', async (leaveOut, message) => {
    const path = await writeSingleFile('tiny-sd', {}, leaveOut);
    await expect(openModel(path)).rejects.toMatchObject({ code: 'checkpoint_unsupported' });
    await expect(openModel(path)).rejects.toThrow(message);
  });

  it('that is a LoRA or SDXL is called by its name', async () => {
    const one = tensor('float32', [1], new Float32Array(1));
    const path = join(folder, 'other.safetensors');
    await writeSafetensors(path, { 'lora_unet_down_blocks_0.lora_up.weight': one });
    await expect(openModel(path)).rejects.toThrow('is a LoRA');
    await writeSafetensors(path, {
      'conditioner.embedders.0.transformer.x': one,
      'model.diffusion_model.out.0.bias': one,
    });
    await expect(openModel(path)).rejects.toThrow('Stable Diffusion XL');
  });

  it('names file and tensor where one is missing', async () => {
    const path = await writeSingleFile('tiny-sd', {}, /middle_block\.2\.in_layers\.2\.weight$/);
    const { weights } = await (await openModel(path)).network('unet');
    expect(() => weights.get('mid_block.resnets.1.conv1.weight')).toThrow(
      /tiny-sd\.safetensors \(unet\): tensor "mid_block\.resnets\.1\.conv1\.weight" is missing/,
    );
  });
});
