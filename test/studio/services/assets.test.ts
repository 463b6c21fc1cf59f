import { readFile, rm } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type Generation, generationParamsSchema } from '../../../lib/contracts/generation.ts';
import { encodePng } from '../../../lib/media/png.ts';
import {
  createGeneration,
  deleteGeneration,
  exportAsset,
  exportGenerations,
  getAssetFile,
  getGeneration,
  getThumbnail,
  readPictureInfo,
  type Studio,
} from '../../../lib/studio/services/index.ts';
import { aReceipt, aRequest, testStudio } from '../../support/studio.ts';

const aPictureOf = async (studio: Studio, width: number, height: number) =>
  (await drawn(studio, width, height)).assets[0]?.id ?? '';

async function drawn(studio: Studio, width: number, height: number): Promise<Generation> {
  const prompt = 'Ein Fuchs: "schnell" & ../schlau';
  const { generation } = await createGeneration(studio, aRequest({ prompt, seed: 9 }));
  const params = generationParamsSchema.parse(generation.params);
  const picture = { width, height, data: new Uint8Array(width * height * 3).fill(200) };
  const file = await encodePng(picture, { params, receipt: aReceipt(), seed: 9, version: '1' });
  const stored = await studio.assets.put(file, 'image/png');
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [{ ...stored, width, height, seed: 9 }], aReceipt());
  return getGeneration(studio, generation.id);
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
      plan: 'faster',
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

test('many pictures come as one zip file that any program opens, each under a name of its own', async () => {
  const studio = await testStudio();
  const [a, b, gone] = [await drawn(studio, 8, 8), await drawn(studio, 16, 8), await drawn(studio, 8, 16)];
  await deleteGeneration(studio, gone.id);
  const query = { ids: [b.id, gone.id, a.id, 'unknown'], format: 'png' as const, metadata: true };
  const zip = Buffer.from(await new Response(await exportGenerations(studio, query)).arrayBuffer());
  const [fileOfA, fileOfB] = await Promise.all(
    [a, b].map(async ({ assets }) => readFile((await getAssetFile(studio, assets[0]?.id ?? '')).path)),
  );
  expect(unzip(zip)).toEqual(
    new Map([
      ['ein-fuchs-schnell-schlau-9.png', fileOfB],
      ['ein-fuchs-schnell-schlau-9-2.png', fileOfA],
    ]),
  );
  await expect(exportGenerations(studio, { ...query, ids: [gone.id] })).rejects.toMatchObject({
    code: 'not_found',
  });
});

/** Stored entries by name, through the central directory (APPNOTE.TXT 4.3.12 and 4.3.16). */
function unzip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const entries = new Map<string, Buffer>();
  for (let at = zip.readUInt32LE(end + 16), i = 0; i < zip.readUInt16LE(end + 10); i++) {
    const [size, nameLength, extraLength] = [
      zip.readUInt32LE(at + 24),
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
    ];
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    entries.set(zip.toString('utf8', at + 46, at + 46 + nameLength), zip.subarray(from, from + size));
    at += 46 + nameLength + extraLength + zip.readUInt16LE(at + 32);
  }
  return entries;
}
