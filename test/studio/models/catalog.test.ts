import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { installedListSchema } from '../../../lib/contracts/api.ts';
import { modelSchema } from '../../../lib/contracts/models.ts';
import { ModelCatalog } from '../../../lib/studio/models/catalog.ts';
import { fillDefaults } from '../../../lib/studio/models/fill-defaults.ts';
import { scaleFactor } from '../../../lib/studio/models/read-model.ts';
import { addModel, createGeneration, listModels, removeModel } from '../../../lib/studio/services/index.ts';
import { repository } from '../../support/process.ts';
import { aRequest, temporaryFolder, testStudio, writeModel } from '../../support/studio.ts';

/** A file of weights that is all header; its bytes are ASCII, so that it can be written as text. */
function safetensorsText(header: object): string {
  const json = JSON.stringify(header).padEnd(126, ' ');
  return `${String.fromCharCode(json.length)}${'\0'.repeat(7)}${json}`;
}

const at = (path: string) => ({ path, source: 'added' }) as const;

test('the bundled model is listed with what its own files say', async () => {
  const catalog = new ModelCatalog([{ path: join(repository, 'models'), source: 'bundled' }]);
  const { item: model } = await catalog.get('toybox');
  expect(modelSchema.parse(model)).toEqual(model);
  expect(model).toMatchObject({
    id: 'toybox',
    source: 'bundled',
    architecture: 'UNet2DConditionModel',
    dtype: 'F16',
    sideMultiple: 16,
    defaults: { width: 128, height: 128, scheduler: 'ddim' },
  });
  expect(model.parameters).toBeGreaterThan(5_000_000);
  expect(model.bytes).toBeGreaterThan(1_000_000);
  expect(model.suggestions).toContain('a fox in a meadow');
  expect(model.vocabulary).toContain('fox');
});

test('reads title, licence and defaults where a model has them', async () => {
  const folder = await temporaryFolder();
  await writeModel(join(folder, 'm'), {
    'README.md': '---\ntitle: "My Model"\nlicense: openrail\n---\n# My Model\n',
    'prompts.json': { defaults: { steps: 25, guidanceScale: 3, plan: 'exact' }, suggestions: ['a'], words: ['b'] },
  });
  const [installed] = await new ModelCatalog([{ path: folder, source: 'added' }]).models();
  expect(installed?.item).toMatchObject({
    name: 'My Model',
    licence: 'openrail',
    defaults: { steps: 25, guidanceScale: 3, plan: 'exact' },
    suggestions: ['a'],
    vocabulary: ['b'],
  });
});

test('leaves out folders that are no model or are damaged, and keeps the others', async () => {
  const folder = await temporaryFolder();
  await writeModel(join(folder, 'good'));
  await writeModel(join(folder, 'broken'), { 'unet/config.json': '{"sample_size": ' });
  await writeModel(join(folder, 'huge'), { 'unet/config.json': ' '.repeat(5 * 1024 * 1024) });
  await writeModel(join(folder, 'other'), { 'model_index.json': { _class_name: 'FluxPipeline' } });
  expect((await new ModelCatalog([at(folder), at(join(folder, 'missing'))]).list()).map(({ item }) => item.id)).toEqual(['good']);
});

test('claims that no model can keep are refused with the reason, and cost nobody the list', async () => {
  const studio = await testStudio();
  const folder = await temporaryFolder();
  const models = join(studio.env.home, 'models');
  const claims: Record<string, Record<string, unknown>> = {
    vast: { 'unet/config.json': { sample_size: 1e9 } },
    fraction: { 'unet/config.json': '{"sample_size": NaN}' },
    deep: { 'vae/config.json': { block_out_channels: Array<number>(60).fill(8) } },
    wide: { 'unet/config.json': { sample_size: 8, cross_attention_dim: 1e300 } },
    many: {
      'unet/x.safetensors': safetensorsText({
        w: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] },
      }),
    },
  };
  for (const [name, files] of Object.entries(claims)) {
    await writeModel(join(folder, name), files);
    await writeModel(join(models, name), files);
    await expect(addModel(studio, join(folder, name)), name).rejects.toMatchObject({
      code: 'checkpoint_invalid',
    });
  }
  // Larger or smaller than anything that is drawn here: it still has a size to begin with.
  await writeModel(join(models, 'large'), { 'unet/config.json': { sample_size: 1024 } });
  await writeModel(join(models, 'small'), {
    'unet/config.json': { sample_size: 1 },
    'README.md': `---\ntitle: ${'long '.repeat(1000)}\n---\n`,
  });
  const listed = installedListSchema.parse({ items: await listModels(studio, 'all') }).items;
  expect(listed.map(({ id }) => id)).toEqual(['tiny', 'large', 'small']);
  for (const { id } of listed) await createGeneration(studio, aRequest({ model: id }));
});

test('what is neither a folder nor a file is refused', async () => {
  const studio = await testStudio();
  for (const path of ['/dev/null', '/nowhere', '/with\0zero']) {
    await expect(addModel(studio, path), path).rejects.toMatchObject({ code: 'checkpoint_not_found' });
  }
});

test('the folder that comes first wins a name', async () => {
  const [a, b] = [await temporaryFolder(), await temporaryFolder()];
  await Promise.all([writeModel(join(a, 'same')), writeModel(join(b, 'same'))]);
  expect((await new ModelCatalog([at(a), at(b)]).list()).map(({ path }) => path)).toEqual([join(a, 'same')]);
});

test('the native size is the sample size times the factor of the autoencoder', async () => {
  expect(scaleFactor({ block_out_channels: [1, 1, 1, 1] })).toBe(8);
  expect(scaleFactor({ encoder_block_out_channels: [1, 1, 1, 1, 1] })).toBe(16);
  const folder = await temporaryFolder();
  await writeModel(join(folder, 'wide'), { 'unet/config.json': { sample_size: [32, 48] } });
  const [installed] = await new ModelCatalog([{ path: folder, source: 'added' }]).models();
  expect(installed?.item.defaults).toMatchObject({ width: 384, height: 256 });
});

test('a size that the autoencoder cannot make is refused before it is queued', async () => {
  const { item: toybox } = await new ModelCatalog([{ path: join(repository, 'models'), source: 'bundled' }]).get('toybox');
  expect(() => fillDefaults(aRequest({ width: 136 }), toybox, () => 1)).toThrow(
    expect.objectContaining({ code: 'invalid_parameter', errors: [expect.objectContaining({ path: 'width' })] }) as Error,
  );
});

/** A safetensors file with one tensor of 2 x 3. */
function weights(dtype = 'F16', end = 12): string {
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    'conv_in.weight': { dtype, shape: [2, 3], data_offsets: [0, end] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return length.toString('latin1') + header + '\0'.repeat(12);
}

test('a model is added where it lies, used, and taken away without its files', async () => {
  const studio = await testStudio();
  const folder = join(await temporaryFolder(), 'mine');
  await writeModel(folder, { 'unet/model.safetensors': weights() });
  const added = await addModel(studio, folder);
  expect(modelSchema.parse(added)).toMatchObject({ id: 'mine', source: 'added', dtype: 'F16', parameters: 6 });
  expect(await addModel(studio, folder)).toEqual(added);
  expect((await createGeneration(studio, aRequest({ model: 'mine' }))).generation.params.model).toBe('mine');
  await removeModel(studio, 'mine');
  expect((await listModels(studio, 'model')).map(({ id }) => id)).toEqual(['tiny']);
  expect(await addModel(studio, folder)).toEqual(added);
});

test.each([
  ['relative/path', {}, 'invalid_parameter', 'not an absolute path'],
  ['missing', {}, 'checkpoint_not_found', 'nothing at'],
  ['tiny', { 'unet/model.safetensors': weights() }, 'conflict', 'another model called tiny'],
  ['bare', {}, 'checkpoint_not_found', 'no .safetensors'],
  ['cut', { 'unet/model.safetensors': weights('F16', 9999) }, 'checkpoint_invalid', 'conv_in.weight ends beyond'],
  ['noise', { 'unet/model.safetensors': 'x'.repeat(40) }, 'checkpoint_invalid', 'header claims'],
  ['flux', { 'model_index.json': { _class_name: 'FluxPipeline' } }, 'checkpoint_unsupported', 'FluxPipeline'],
  ['broken', { 'vae/config.json': '{' }, 'checkpoint_invalid', 'vae/config.json'.replace('/', sep)],
] as const)('refuses %s with a reason', async (name, files, code, reason) => {
  const studio = await testStudio();
  const folder = name.includes('/') ? name : join(await temporaryFolder(), name);
  if (!name.includes('/') && name !== 'missing') await writeModel(folder, files);
  await expect(addModel(studio, folder)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(reason) as string,
  });
  expect((await listModels(studio, 'model')).map(({ id }) => id)).toEqual(['tiny']);
});

test('a model that came with Encore stays, and one that is not there cannot be taken away', async () => {
  const studio = await testStudio();
  await expect(removeModel(studio, 'tiny')).rejects.toMatchObject({ code: 'conflict' });
  await expect(removeModel(studio, 'gone')).rejects.toMatchObject({ code: 'not_found' });
});
