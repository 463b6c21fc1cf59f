import { mkdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { installedSchema } from '../../../lib/contracts/models.ts';
import { hashInstalled, knownHashes } from '../../../lib/studio/services/file-hashes.ts';
import { addModel, createGeneration, listModels, removeModel } from '../../../lib/studio/services/index.ts';
import { requireAdapters } from '../../../lib/studio/services/models.ts';
import { sha256 } from '../../support/hub.ts';
import { safetensors, safetensorsBytes } from '../../support/safetensors.ts';
import { aRequest, temporaryFolder, testStudio, writeModel } from '../../support/studio.ts';

type Shapes = Record<string, number[]>;

const block = 'down_blocks_0_attentions_0_transformer_blocks_0';
const lora = (context: number): Shapes => ({
  [`lora_unet_${block}_attn2_to_k.lora_down.weight`]: [8, context],
  [`lora_unet_${block}_attn2_to_k.lora_up.weight`]: [320, 8],
});
const inside = 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight';
const checkpoint = (context: number, channels = 4): Shapes => ({
  'model.diffusion_model.input_blocks.0.0.weight': [320, channels, 3, 3],
  [`model.diffusion_model.${inside}`]: [320, context],
  'first_stage_model.decoder.conv_in.weight': [8, 4, 3, 3],
  'cond_stage_model.transformer.text_model.final_layer_norm.weight': [context],
});
const without = (shapes: Shapes, prefix: string): Shapes =>
  Object.fromEntries(Object.entries(shapes).filter(([name]) => !name.startsWith(prefix)));

async function file(name: string, shapes: Shapes, metadata?: Record<string, string>): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await safetensors(path, shapes, metadata);
  return path;
}

describe('a file is what the names and shapes of its tensors say', () => {
  it.each([
    ['a LoRA', lora(768), { kind: 'lora', contextSize: 768, rank: 8 }],
    ['an embedding', { emb_params: [3, 768] }, { kind: 'embedding', contextSize: 768 }],
    ['a ControlNet of the original code', { 'control_model.input_hint_block.0.weight': [16, 3, 3, 3], [`control_model.${inside}`]: [320, 768] }, { kind: 'controlnet', contextSize: 768 }],
    ['a ControlNet of diffusers', { 'controlnet_cond_embedding.conv_in.weight': [16, 3, 3, 3] }, { kind: 'controlnet' }],
    ['SD 1.x', checkpoint(768), { kind: 'model', contextSize: 768, defaults: { width: 512 } }],
    ['SD 2.x at 768', checkpoint(1024), { kind: 'model', contextSize: 1024, defaults: { width: 768 } }],
    ['an inpainting checkpoint', checkpoint(768, 9), { kind: 'model', tasks: ['inpaint'], defaults: { width: 512 } }],
  ])('%s', async (_, shapes, expected) => {
    const studio = await testStudio();
    const added = await addModel(studio, await file('thing.safetensors', shapes));
    expect(installedSchema.parse(added)).toEqual(added);
    expect(added).toMatchObject({ id: 'thing', source: 'added', dtype: 'F16', ...expected });
    expect((await listModels(studio, 'all')).map(({ id }) => id).sort()).toEqual(['thing', 'tiny']);
    await removeModel(studio, 'thing');
    expect(await listModels(studio, 'all')).toHaveLength(1);
  });

  it.each([
    ['an SDXL LoRA', 'x.safetensors', lora(2048), 'Stable Diffusion XL'],
    ['a FLUX LoRA', 'x.safetensors', { 'transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight': [4, 64], 'transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight': [64, 4] }, 'FLUX'],
    ['SDXL', 'x.safetensors', { ...checkpoint(2048), 'conditioner.embedders.0.x': [1] }, 'Stable Diffusion XL'],
    ['a checkpoint without its VAE', 'x.safetensors', without(checkpoint(768), 'first_stage'), 'no autoencoder'],
    ['something else', 'x.safetensors', { a: [1], b: [1] }, 'first tensor is a'],
    ['a pickle', 'x.ckpt', { a: [1] }, 'pickled'],
  ])('%s is refused by its name', async (_, name, shapes, reason) => {
    const studio = await testStudio();
    await expect(addModel(studio, await file(name, shapes))).rejects.toMatchObject({
      code: 'checkpoint_unsupported',
      message: expect.stringContaining(reason) as string,
    });
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['without its header', (bytes: Buffer) => bytes.subarray(0, 20)],
    ['empty', () => Buffer.alloc(0)],
    ['with a length beyond reason', (bytes: Buffer) => Buffer.concat([Buffer.alloc(8, 0xff), bytes])],
    ['with tensors that run backwards', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('[0,', '[9,'), 'latin1')],
  ])('%s it is damaged, not installed', async (_, damage) => {
    const studio = await testStudio();
    const path = join(await temporaryFolder(), 'thing.safetensors');
    await writeFile(path, damage(safetensorsBytes({ a: [1], b: [1] })));
    await expect(addModel(studio, path)).rejects.toMatchObject({ code: 'checkpoint_invalid' });
    expect(await listModels(studio, 'all')).toHaveLength(1);
  });
});

test('folders of networks, shelves and folders of one file are found; a kind that was said has to be right', async () => {
  const studio = await testStudio();
  const models = join(studio.env.home, 'models');
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(models, path)), { recursive: true });
    await writeFile(join(models, path), content);
  };
  const config = (name: string) => JSON.stringify({ _class_name: name, cross_attention_dim: 768 });
  await put('my-scribble/config.json', config('ControlNetModel'));
  await put('my-scribble/README.md', '---\ntitle: Drawings\nlicense: mit\n---\n');
  await put('moves/config.json', config('MotionAdapter'));
  await put('loras/ink.safetensors', safetensorsBytes(lora(768), { 'modelspec.trigger_phrase': 'inkwash, ink' }));
  await put('boxed/style.safetensors', safetensorsBytes(lora(768)));
  await put('unet-alone/config.json', config('UNet2DConditionModel'));
  const all = await listModels(studio, 'all');
  expect(all.map(({ id, kind }) => `${kind} ${id}`).sort()).toEqual([
    'controlnet my-scribble',
    'lora boxed',
    'lora ink',
    'model tiny',
    'motion moves',
  ]);
  expect(all.find(({ id }) => id === 'my-scribble')).toMatchObject({ name: 'Drawings', preprocessor: 'scribble' });
  expect(all.find(({ id }) => id === 'ink')).toMatchObject({ triggers: ['inkwash', 'ink'] });
  await expect(addModel(studio, await file('z.safetensors', lora(768)), 'embedding')).rejects.toMatchObject({
    errors: [{ path: 'kind', message: 'is lora' }],
  });
  // What was put there by hand is not deleted from here.
  await expect(removeModel(studio, 'boxed')).rejects.toMatchObject({ code: 'conflict' });
  await hashInstalled(studio, new AbortController().signal);
  const hashes = await listModels(studio, 'lora');
  expect(hashes.find(({ id }) => id === 'boxed')?.sha256).toBe(sha256(safetensorsBytes(lora(768))));
  // Changed, it is read anew.
  await put('boxed/style.safetensors', safetensorsBytes(lora(1024)));
  expect((await listModels(studio, 'lora')).find(({ id }) => id === 'boxed')?.sha256).toBeNull();
});

test('a folder of more LoRAs than one statement may name is hashed, and forgotten', async () => {
  const studio = await testStudio();
  const folder = join(studio.env.home, 'models', 'loras');
  await mkdir(folder, { recursive: true });
  const bytes = safetensorsBytes(lora(768));
  const names = Array.from({ length: 1200 }, (_, i) => join(folder, `style-${i}.safetensors`));
  for (const name of names) await writeFile(name, bytes);
  // Hashed before, as far as the database knows: hashing itself is another test's.
  const { size, mtimeMs } = await stat(names[0] ?? '');
  for (const name of names) await utimes(name, mtimeMs / 1000, mtimeMs / 1000);
  const { mtimeMs: modifiedMs } = await stat(names[0] ?? '');
  await studio.db.write((tx) =>
    tx.fileHash.createMany({
      data: names.map((path) => ({ path, size, modifiedMs, sha256: 'a', dataSha256: 'b' })),
    }),
  );
  const found = (await studio.models.list()).filter(({ path }) => path.startsWith(folder));
  expect((await knownHashes(studio, found)).size).toBe(names.length);
  await hashInstalled(studio, AbortSignal.timeout(60_000));
  await rm(folder, { recursive: true });
  await hashInstalled(studio, AbortSignal.timeout(60_000));
  expect(await studio.db.read((r) => r.fileHash.count({ where: { path: { startsWith: folder } } }))).toBe(0);
});

test('what a request adds has to be there, be of the right kind, and fit', async () => {
  const studio = await testStudio();
  const models = join(studio.env.home, 'models');
  await writeModel(join(models, 'sd'), { 'unet/config.json': { sample_size: 8, cross_attention_dim: 768 } });
  await safetensors(join(models, 'small.safetensors'), lora(768));
  await safetensors(join(models, 'large.safetensors'), lora(1024));
  const ask = (id: string) => createGeneration(studio, aRequest({ model: 'sd', loras: [{ id, weight: 1 }] }));
  expect((await ask('small')).generation.params.loras).toEqual([{ id: 'small', weight: 1 }]);
  // A1111's way to name one is read from files and pasted text; in a request it is words.
  const prompt = 'a fox <lora:small:0.5>';
  const { params } = (await createGeneration(studio, aRequest({ model: 'sd', prompt }))).generation;
  expect([params.prompt, params.loras ?? []]).toEqual([prompt, []]);
  await expect(ask('gone')).rejects.toMatchObject({ code: 'unknown_model', errors: [{ path: 'loras.0.id' }] });
  await expect(ask('sd')).rejects.toMatchObject({ code: 'invalid_parameter' });
  await expect(ask('large')).rejects.toMatchObject({
    code: 'invalid_parameter',
    message: expect.stringContaining('1024') as string,
  });
  const { item } = await studio.models.get('sd');
  const control = [{ model: 'small', image: 'x', scale: 1, start: 0, end: 1, preprocessor: 'none' as const }];
  await expect(requireAdapters(studio, { control }, item)).rejects.toMatchObject({
    errors: [{ path: 'control.0.model', message: '"small" is a lora, not a controlnet' }],
  });
});

test('a link that leads nowhere hides nothing else', async () => {
  const studio = await testStudio();
  const models = join(studio.env.home, 'models');
  await mkdir(models, { recursive: true });
  await symlink(join(models, 'nowhere'), join(models, 'dangling'));
  expect((await listModels(studio, 'all')).map(({ id }) => id)).toEqual(['tiny']);
});
