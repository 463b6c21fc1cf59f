import { readFile, rm } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { generationParamsSchema } from '../../../lib/contracts/generation.ts';
import { encodePng } from '../../../lib/media/png.ts';
import {
  createGeneration,
  exportAsset,
  getAssetFile,
  getGeneration,
  getThumbnail,
  readPictureInfo,
  type Studio,
} from '../../../lib/studio/services/index.ts';
import { aReceipt, aRequest, testStudio } from '../../support/studio.ts';

async function aPictureOf(studio: Studio, width: number, height: number): Promise<string> {
  const prompt = 'Ein Fuchs: "schnell" & ../schlau';
  const { generation } = await createGeneration(studio, aRequest({ prompt, seed: 9 }));
  const params = generationParamsSchema.parse(generation.params);
  const picture = { width, height, data: new Uint8Array(width * height * 3).fill(200) };
  const file = await encodePng(picture, { params, receipt: aReceipt(), seed: 9, version: '1' });
  const stored = await studio.assets.put(file, 'image/png');
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [{ ...stored, width, height, seed: 9 }], aReceipt());
  return (await getGeneration(studio, generation.id)).assets[0]?.id ?? '';
}

test('a thumbnail is made once, fits, and a small picture needs none', async () => {
  const studio = await testStudio();
  const id = await aPictureOf(studio, 400, 200);
  const [a, b] = await Promise.all([getThumbnail(studio, id, 128), getThumbnail(studio, id, 128)]);
  expect(b).toEqual(a);
  const content = await readFile(a.path);
  expect(await sharp(content).metadata()).toMatchObject({ format: 'webp', width: 128, height: 64 });
  expect(a).toMatchObject({ type: 'image/webp', bytes: content.length });
  const whole = await getThumbnail(studio, id, 512);
  expect(whole).toEqual(await getAssetFile(studio, id));
  expect(new Set([a.hash, whole.hash]).size).toBe(2);
  await rm(studio.assets.path(whole.hash, whole.type));
  await expect(getThumbnail(studio, id, 256)).rejects.toMatchObject({ code: 'not_found' });
  await expect(getThumbnail(studio, 'unknown', 256)).rejects.toMatchObject({ code: 'not_found' });
});

test('an export is what was asked for, under a name that is safe everywhere', async () => {
  const studio = await testStudio();
  const id = await aPictureOf(studio, 40, 20);
  const jpeg = await exportAsset(studio, id, { format: 'jpeg', metadata: false });
  expect(jpeg).toMatchObject({ type: 'image/jpeg', fileName: 'ein-fuchs-schnell-schlau-9.jpg' });
  expect(await readPictureInfo(studio, jpeg.bytes)).toMatchObject({ source: null });
  const png = await exportAsset(studio, id, { format: 'png', metadata: true });
  expect(png.bytes).toEqual(await readFile((await getAssetFile(studio, id)).path));
});

test('what a picture says can be used here: the model only when it is installed', async () => {
  const studio = await testStudio();
  const params = (model: string) =>
    generationParamsSchema.parse({
      ...aRequest({ seed: 1 }),
      model,
      width: 64,
      height: 64,
      steps: 5,
      guidanceScale: 1,
      scheduler: 'ddim',
      injection: 0,
    });
  const picture = { width: 8, height: 8, data: new Uint8Array(192) };
  const file = (model: string) =>
    encodePng(picture, { params: params(model), receipt: aReceipt(), seed: 1, version: '1' });
  expect((await readPictureInfo(studio, await file('tiny'))).params).toMatchObject({
    model: 'tiny',
    seed: 1,
  });
  expect((await readPictureInfo(studio, await file('sub\\TINY.safetensors'))).params.model).toBe('tiny');
  const other = await readPictureInfo(studio, await file('other'));
  expect(other).toMatchObject({ modelName: 'other', params: { seed: 1 } });
  expect(other.params.model).toBeUndefined();
});
