import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedding } from '../../../../lib/engine/checkpoint/embedding.ts';
import { bindLora, type BoundLora } from '../../../../lib/engine/checkpoint/lora/bind.ts';
import { openLora } from '../../../../lib/engine/checkpoint/lora/open.ts';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors, writeSafetensors } from '../../../../lib/engine/checkpoint/safetensors.ts';
import type { WeightSource } from '../../../../lib/engine/checkpoint/weight-source.ts';
import { float32, tensor, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { random } from '../../support/graphs.ts';

type Tensors = Record<string, Tensor>;

const golden = (name: string) => `test/golden/lora/${name}.safetensors`;
let folder: string;
let networks: { unet: WeightSource; text_encoder: WeightSource };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encore-lora-'));
  const model = await openModel('test/golden/tiny-sd');
  const [unet, text] = [await model.network('unet'), await model.network('text_encoder')];
  networks = { unet: unet.weights, text_encoder: text.weights };
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function write(tensors: Tensors, metadata: Record<string, string> = {}): Promise<string> {
  const path = join(folder, `lora-${files++}.safetensors`);
  await writeSafetensors(path, tensors, metadata);
  return path;
}
const bind = async (path: string): Promise<BoundLora> => bindLora(await openLora(path), networks, 'tiny-sd');

/** Everything that a LoRA does to a model, without the names of its file. */
function described({ deltas, unmatched }: BoundLora) {
  const each = (['unet', 'text_encoder'] as const).flatMap((network) =>
    [...deltas[network]].map(([name, { combine, scale, factors, magnitude }]) => {
      const shapes = factors.map((factor) =>
        'whole' in factor ? [factor.whole.shape] : [factor.a.shape, factor.b.shape, factor.core?.shape],
      );
      return { name: `${network} ${name}`, combine, scale, shapes, magnitude: magnitude?.ref.shape };
    }),
  );
  return { each: each.sort((a, b) => (a.name < b.name ? -1 : 1)), unmatched };
}

const to_q = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
const flat = (path: string) => `lora_unet_${path.replaceAll('.', '_')}`;
const factors = (down: readonly number[], up: readonly number[]) => ({
  down: random(down, 1),
  up: random(up, 2),
});
/** A LoRA of one layer of kohya's, [16, 16] in tiny-sd. */
const kohya = (path = to_q, down: readonly number[] = [2, 16], up: readonly number[] = [16, 2]): Tensors => {
  const made = factors(down, up);
  return { [`${flat(path)}.lora_down.weight`]: made.down, [`${flat(path)}.lora_up.weight`]: made.up };
};

describe('dialects', () => {
  it.each(['kohya', 'diffusers-old', 'diffusers', 'peft', 'lycoris', 'dora'])(
    '%s has a place for every tensor',
    async (name) => {
      const bound = await bind(golden(name));
      expect(bound.unmatched).toEqual([]);
      expect(bound.matched).toHaveLength((await readSafetensors(golden(name))).size);
      const dialect = { dora: 'peft' }[name] ?? name;
      expect(bound.lora.info).toMatchObject({ kind: 'lora', dialect, rank: 2 });
    },
  );

  it('is the same LoRA under every spelling of its names', async () => {
    const peft = Object.entries(Object.fromEntries(await readSafetensors(golden('peft'))));
    const config = (await openLora(golden('peft'))).file.metadata['lora_adapter_metadata']!;
    const expected = described(await bind(golden('peft')));
    const spellings: Record<string, (name: string) => string> = {
      'a named adapter': (name) => name.replace('.weight', '.default.weight'),
      'a wrapped model': (name) => name.replace(/^(unet|text_encoder)\./, '$1.base_model.model.'),
      'a text encoder without its prefix': (name) =>
        name.replace('text_encoder.text_model.', 'text_encoder.'),
      'names of diffusers': (name) => name.replace('lora_A', 'lora.down').replace('lora_B', 'lora.up'),
      processors: (name) => name.replace(/(attn\d)\./, '$1.processor.'),
    };
    for (const [what, spell] of Object.entries(spellings)) {
      const path = await write(Object.fromEntries(peft.map(([name, value]) => [spell(name), value])), {
        lora_adapter_metadata: config,
      });
      expect(described(await bind(path)), what).toEqual(expected);
    }
  });

  it('has the rank for an alpha where it has none, and peft’s from the file’s metadata', async () => {
    const scale = async (path: string) => (await bind(path)).deltas.unet.get(`${to_q}.weight`)!.scale;
    expect(await scale(await write(kohya()))).toBe(1);
    const alpha = { [`${flat(to_q)}.alpha`]: float32([], Float32Array.of(3)) };
    expect(await scale(await write({ ...kohya(), ...alpha }))).toBe(1.5);
    expect(await scale(golden('peft'))).toBeCloseTo(3 / Math.SQRT2, 12);
    const { down, up } = factors([2, 16], [16, 2]);
    const peft = { [`unet.${to_q}.lora_A.weight`]: down, [`unet.${to_q}.lora_B.weight`]: up };
    const metadata = {
      lora_adapter_metadata: JSON.stringify({ r: 2, lora_alpha: 8, alpha_pattern: { to_q: 1 } }),
    };
    expect(await scale(await write(peft, metadata))).toBe(0.5);
    const saved = await mkdtemp(join(folder, 'peft-'));
    const model = join(saved, 'adapter_model.safetensors');
    await writeSafetensors(model, peft);
    expect(await scale(model)).toBe(1);
    await writeFile(join(saved, 'adapter_config.json'), JSON.stringify({ r: 2, lora_alpha: 6 }));
    expect(await scale(model)).toBe(3);
    await expect(
      bind(await write(peft, { lora_adapter_metadata: '{"lora_alpha":"x"}' })),
    ).rejects.toMatchObject({
      code: 'checkpoint_invalid',
      message: /lora_alpha/,
    });
  });

  it('takes a 1x1 convolution for a linear layer and the other way round', async () => {
    const proj = 'mid_block.attentions.0.proj_in';
    for (const [path, down, up] of [
      [to_q, [2, 16, 1, 1], [16, 2, 1, 1]],
      [proj, [2, 32], [32, 2]],
      [proj, [2, 32, 1, 1], [32, 2, 1, 1]],
    ] as const) {
      const { deltas } = await bind(await write(kohya(path, down, up)));
      expect([...deltas.unet.keys()]).toEqual([`${path}.weight`]);
    }
  });

  it('reads what the file says about itself', async () => {
    const { info, hash } = await openLora(golden('kohya'));
    expect(info).toEqual({
      ...{ kind: 'lora', dialect: 'kohya', algorithms: ['LoRA'], family: 'sd1', base: 'sd_v1', rank: 2 },
      ...{ name: 'kohya-look', triggers: ['fox', 'meadow'] },
    });
    const bytes = await readFile(golden('kohya'));
    const data = bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
    expect(hash).toBe(createHash('sha256').update(data).digest('hex').slice(0, 12));
    const spec = { 'modelspec.trigger_phrase': 'sks mug, night', 'modelspec.title': 'Mug' };
    const { info: other } = await openLora(await write(kohya(), { ...spec, ss_tag_frequency: 'not json' }));
    expect(other).toMatchObject({ name: 'Mug', triggers: ['sks mug', 'night'], family: null });
  });
});

describe('another family is refused by its name', () => {
  const pair = (module: string, width = 64): Tensors => ({
    [`${module}.lora_down.weight`]: random([2, width], 1),
    [`${module}.lora_up.weight`]: random([64, 2], 2),
  });
  it.each([
    ['Stable Diffusion XL', pair('lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 2048)],
    ['Stable Diffusion XL', pair('lora_te2_text_model_encoder_layers_0_self_attn_q_proj')],
    ['Stable Diffusion XL', pair('unet.down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q')],
    ['FLUX', pair('lora_unet_double_blocks_0_img_attn_proj')],
    ['FLUX', pair('transformer.single_transformer_blocks.0.attn.to_q')],
    ['Stable Diffusion 3', pair('lora_unet_joint_blocks_0_context_block_attn_proj')],
    ['Wan video', pair('diffusion_model.blocks.0.self_attn.q')],
    ['AnimateDiff', pair('unet.down_blocks.0.motion_modules.0.transformer_blocks.0.attn1.to_q')],
    ['a language model', pair('base_model.model.model.layers.0.self_attn.q_proj')],
    [
      'Stable Diffusion 2.x',
      pair('lora_unet_down_blocks_7_attentions_0_transformer_blocks_0_attn2_to_k', 1024),
    ],
  ])('%s (%#)', async (family, tensors) => {
    await expect(bind(await write(tensors))).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: expect.stringContaining(`made for ${family}`) as string,
      remedy: expect.any(String) as string,
    });
  });

  it('by shape, where the names fit', async () => {
    const to_k = 'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k';
    await expect(bind(await write(kohya(to_k, [2, 768], [32, 2])))).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: /made for Stable Diffusion 1\.x.*does not fit tiny-sd.*\[2, 768\].*\[32, 32\]/,
    });
  });

  it('says when nothing has a place', async () => {
    await expect(bind(await write(kohya('down_blocks.9.conv', [2, 4], [4, 2])))).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: /none of its 2 tensors has a place there/,
    });
  });
});

describe('what cannot be right is refused', () => {
  const module = flat(to_q);
  const { down, up } = factors([2, 16], [16, 2]);
  const loha: Tensors = {
    [`${module}.hada_w1_a`]: random([16, 2]),
    [`${module}.hada_w1_b`]: random([2, 16]),
  };
  it.each<[string, Tensors, string, RegExp]>([
    [
      'ranks that differ',
      kohya(to_q, [2, 16], [16, 3]),
      'checkpoint_unsupported',
      /ranks of .*\[16, 3\].*\[2, 16\].* differ/,
    ],
    [
      'another width',
      kohya(to_q, [2, 15], [16, 2]),
      'checkpoint_unsupported',
      /do not make the weight \[16, 16\]/,
    ],
    ['half a pair', { [`${module}.lora_up.weight`]: up }, 'checkpoint_unsupported', /has no counterpart/],
    ['a rank of nothing', kohya(to_q, [0, 16], [16, 0]), 'checkpoint_unsupported', /has rank 0/],
    ['an enormous rank', kohya(to_q, [5000, 16], [16, 5000]), 'checkpoint_unsupported', /has rank 5000/],
    [
      'NaN',
      { ...kohya(), [`${module}.lora_up.weight`]: float32([16, 2], new Float32Array(32).fill(NaN)) },
      'weights_invalid',
      /holds NaN/,
    ],
    [
      'infinity in half precision',
      {
        ...kohya(),
        [`${module}.lora_up.weight`]: tensor('float16', [16, 2], new Uint16Array(32).fill(0x7c00)),
      },
      'weights_invalid',
      /lora_up.weight" holds NaN or infinity/,
    ],
    [
      'integers',
      { ...kohya(), [`${module}.lora_up.weight`]: tensor('int32', [16, 2], new Int32Array(32)) },
      'checkpoint_unsupported',
      /of type int32/,
    ],
    [
      'an alpha of many numbers',
      { ...kohya(), [`${module}.alpha`]: random([2, 2]) },
      'checkpoint_invalid',
      /must be one number/,
    ],
    ['half a LoHa', loha, 'checkpoint_unsupported', /half of a LoHa layer is missing/],
    [
      'two algorithms in one layer',
      { ...kohya(), ...loha },
      'checkpoint_unsupported',
      /does not go with the rest/,
    ],
    [
      'a LoKr that does not divide',
      { [`${module}.lokr_w1`]: random([3, 4]), [`${module}.lokr_w2`]: random([4, 4]) },
      'checkpoint_unsupported',
      /does not divide \[16, 16\]/,
    ],
    [
      'magnitudes of another layer',
      { ...kohya(), [`${module}.dora_scale`]: random([7, 1]) },
      'checkpoint_unsupported',
      /no magnitude for each channel/,
    ],
    [
      'two adapters',
      { [`unet.${to_q}.lora_A.one.weight`]: down, [`unet.${to_q}.lora_B.two.weight`]: up },
      'checkpoint_unsupported',
      /several adapters \(one, two\)/,
    ],
    [
      'one weight under two spellings',
      { ...kohya(), [`unet.${to_q}.lora_A.weight`]: down, [`unet.${to_q}.lora_B.weight`]: up },
      'checkpoint_invalid',
      /twice|are the same/,
    ],
    [
      'OFT',
      { ...kohya(), [`${module}.oft_blocks`]: random([2, 4, 4]) },
      'checkpoint_unsupported',
      /of the kind OFT/,
    ],
    [
      'biases of factors',
      { ...kohya(), [`unet.${to_q}.lora_B.bias`]: random([16]) },
      'checkpoint_unsupported',
      /LoRA with biases/,
    ],
    [
      'an embedding',
      { emb_params: random([2, 32]) },
      'checkpoint_unsupported',
      /is no LoRA but an embedding/,
    ],
    [
      'a checkpoint',
      { 'model.diffusion_model.out.0.weight': random([4]), x: random([1]) },
      'checkpoint_unsupported',
      /a whole checkpoint/,
    ],
    ['something else', { a: random([4, 4, 4]) }, 'checkpoint_unsupported', /something else/],
  ])('%s', async (_, tensors, code, message) => {
    await expect(bind(await write(tensors))).rejects.toMatchObject({ code, message });
  });

  it('pickles, missing files, folders and files cut short', async () => {
    const pickle = join(folder, 'style.pt');
    await writeFile(pickle, 'x');
    await expect(openLora(pickle)).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: /pickle/,
    });
    await expect(openEmbedding(pickle)).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      remedy: /safetensors/,
    });
    await expect(openLora(join(folder, 'none.safetensors'))).rejects.toMatchObject({
      code: 'checkpoint_not_found',
    });
    await expect(openLora(folder)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    const short = await write(kohya());
    await truncate(short, 300);
    await expect(openLora(short)).rejects.toMatchObject({ code: 'checkpoint_invalid' });
  });
});

describe('embeddings', () => {
  it('of both kinds, with their triggers', async () => {
    expect(await openEmbedding(golden('night-sky'))).toMatchObject({
      name: 'night-sky',
      triggers: ['night-sky'],
      madeFor: '',
    });
    expect(await openEmbedding(golden('cat'))).toMatchObject({ name: 'cat', triggers: ['cat', '<toy-cat>'] });
    const { vectors } = await openEmbedding(golden('night-sky'));
    expect(vectors.map(({ length }) => length)).toEqual([32, 32, 32]);
  });

  it.each<[string, Tensors, RegExp]>([
    ['for XL', { clip_l: random([2, 768]), clip_g: random([2, 1280]) }, /Stable Diffusion XL/],
    ['of too many vectors', { emb_params: random([76, 8]) }, /is no embedding/],
    ['that is a LoRA', kohya(), /is no embedding/],
  ])('%s is refused', async (_, tensors, message) => {
    await expect(openEmbedding(await write(tensors))).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message,
    });
  });
});
