import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelSchema } from '../../../lib/contracts/models.ts';
import { fillDefaults, ModelCatalog, scaleFactor } from '../../../lib/studio/models/catalog.ts';
import { repository } from '../../support/process.ts';
import { aRequest, temporaryFolder, writeModel } from '../../support/studio.ts';

test('the bundled model is listed with what its own files say', async () => {
  const catalog = new ModelCatalog([join(repository, 'models')]);
  const { model } = await catalog.get('toybox');
  expect(modelSchema.parse(model)).toEqual(model);
  expect(model).toMatchObject({ id: 'toybox', defaults: { width: 128, height: 128, scheduler: 'ddim' } });
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
  const [installed] = await new ModelCatalog([folder]).list();
  expect(installed?.model).toMatchObject({
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
  expect((await new ModelCatalog([folder, join(folder, 'missing')]).list()).map(({ model }) => model.id)).toEqual(['good']);
});

test('the folder that comes first wins a name', async () => {
  const [a, b] = [await temporaryFolder(), await temporaryFolder()];
  await Promise.all([writeModel(join(a, 'same')), writeModel(join(b, 'same'))]);
  expect((await new ModelCatalog([a, b]).list()).map((installed) => installed.folder)).toEqual([join(a, 'same')]);
});

test('the native size is the sample size times the factor of the autoencoder', async () => {
  expect(scaleFactor({ block_out_channels: [1, 1, 1, 1] })).toBe(8);
  expect(scaleFactor({ encoder_block_out_channels: [1, 1, 1, 1, 1] })).toBe(16);
  const folder = await temporaryFolder();
  await writeModel(join(folder, 'wide'), { 'unet/config.json': { sample_size: [32, 48] } });
  const [installed] = await new ModelCatalog([folder]).list();
  expect(installed?.model.defaults).toMatchObject({ width: 384, height: 256 });
});

test('a size that the autoencoder cannot make is refused before it is queued', async () => {
  const toybox = await new ModelCatalog([join(repository, 'models')]).get('toybox');
  expect(() => fillDefaults(aRequest({ width: 136 }), toybox, () => 1)).toThrow(
    expect.objectContaining({ code: 'invalid_parameter', errors: [expect.objectContaining({ path: 'width' })] }) as Error,
  );
});
