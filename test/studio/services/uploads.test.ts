import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it, test } from 'vitest';
import { uploadLimits } from '../../../lib/contracts/pictures.ts';
import { readChunks, writeChunks } from '../../../lib/media/png-chunks.ts';
import { tidy } from '../../../lib/studio/services/housekeeping.ts';
import {
  createGeneration,
  createUpload,
  deleteGeneration,
  deleteUpload,
  getGeneration,
  getPicture,
  getPictureFile,
  getPictureThumbnail,
  listUploads,
} from '../../../lib/studio/services/index.ts';
import { resolvePictures } from '../../../lib/studio/services/pictures.ts';
import type { Studio } from '../../../lib/studio/studio.ts';
import { aReceipt, aRequest, testClock, testStudio } from '../../support/studio.ts';

const DAY = 24 * 60 * 60 * 1000;

function pixels(width: number, height: number, colour = '#345') {
  return sharp({ create: { width, height, channels: 3, background: colour } });
}

describe('a picture that is sent', () => {
  it('is kept upright, without metadata, once for its content', async () => {
    const studio = await testStudio();
    const jpeg = await pixels(40, 20)
      .withExif({ IFD0: { Make: 'secret camera' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { upload, created } = await createUpload(studio, jpeg, 'C:\\photos\\fox.final.jpg');
    expect(created).toBe(true);
    expect(upload).toMatchObject({ name: 'fox.final', type: 'image/png', width: 20, height: 40 });
    const file = await getPictureFile(studio, upload.id);
    const kept = await sharp(await readFile(file.path)).metadata();
    expect(kept).toMatchObject({ format: 'png', width: 20, height: 40 });
    expect([kept.exif, kept.xmp, kept.icc, kept.orientation]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const again = await createUpload(studio, jpeg, 'other.jpg');
    expect(again).toEqual({ upload, created: false });
  });

  it.each(['png', 'jpeg', 'webp', 'avif'] as const)('may be %s', async (format) => {
    const studio = await testStudio();
    const { upload } = await createUpload(studio, await pixels(16, 8).toFormat(format).toBuffer(), '');
    expect([upload.width, upload.height]).toEqual([16, 8]);
  });

  it('keeps its transparency, and is made smaller where it is larger than anything that is drawn', async () => {
    const studio = await testStudio();
    const wide = sharp({ create: { width: 5000, height: 10, channels: 4, background: '#ff000080' } });
    const { upload } = await createUpload(studio, await wide.png().toBuffer(), 'w.png');
    expect([upload.width, upload.height]).toEqual([uploadLimits.maxUploadSide, 8]);
    const { path } = await getPictureFile(studio, upload.id);
    expect((await sharp(path).metadata()).hasAlpha).toBe(true);
  });

  it.each([
    ['text', Buffer.from('hello'), 'invalid_parameter'],
    [
      'an SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'invalid_parameter',
    ],
    ['nothing', Buffer.alloc(0), 'invalid_parameter'],
  ])('is refused when it is %s', async (_, file, code) => {
    const studio = await testStudio();
    await expect(createUpload(studio, file, '')).rejects.toMatchObject({ code });
  });

  it('is refused when it is cut off, or has too many pixels', async () => {
    const studio = await testStudio();
    const noise = {
      width: 200,
      height: 200,
      channels: 3 as const,
      noise: { type: 'gaussian' as const, mean: 128, sigma: 60 },
    };
    const whole = await sharp({ create: { ...noise, background: '#fff' } })
      .png()
      .toBuffer();
    await expect(createUpload(studio, whole.subarray(0, 20_000), '')).rejects.toMatchObject({
      code: 'invalid_parameter',
    });
    // A bomb: few bytes that claim 12,000 x 12,000 pixels.
    const [header, ...rest] = readChunks(await pixels(8, 8).png().toBuffer());
    const size = Buffer.from(header?.data ?? []);
    size.writeUInt32BE(12_000, 0);
    size.writeUInt32BE(12_000, 4);
    const bomb = writeChunks([{ type: 'IHDR', data: size }, ...rest]);
    await expect(createUpload(studio, bomb, '')).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(await studio.db.read((r) => r.upload.count())).toBe(0);
  });
});

async function draw(studio: Studio): Promise<string> {
  const { generation } = await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('worker');
  const stored = await studio.assets.put(await pixels(64, 64).png().toBuffer(), 'image/png');
  await studio.jobs.finish(job?.token ?? '', [{ ...stored, width: 64, height: 64, seed: 1 }], aReceipt());
  return (await getGeneration(studio, generation.id)).assets[0]?.id ?? '';
}

test('what was made from a picture keeps it, whatever is deleted, and what nothing was made from goes', async () => {
  const clock = testClock(Date.now());
  const studio = await testStudio({}, { now: clock.now });
  const { upload: used } = await createUpload(studio, await pixels(8, 8, '#111').png().toBuffer(), 'used');
  const { upload: idle } = await createUpload(studio, await pixels(8, 8, '#222').png().toBuffer(), 'idle');
  const asset = await draw(studio);
  const original = (await studio.db.read((r) => r.asset.findUniqueOrThrow({ where: { id: asset } })))
    .generationId;
  const { generation: made } = await createGeneration(studio, aRequest());
  // As a request with pictures stores it.
  await studio.db.write(async (tx) => {
    const params = { image: used.id, mask: asset } as Parameters<typeof resolvePictures>[1];
    const rows = await resolvePictures(tx, params);
    await tx.generationInput.createMany({ data: rows.map((row) => ({ ...row, generationId: made.id })) });
  });
  expect((await getGeneration(studio, made.id)).inputs.map(({ field, id }) => [field, id])).toEqual([
    ['image', used.id],
    ['mask', asset],
  ]);

  await deleteUpload(studio, used.id);
  await deleteGeneration(studio, original);
  clock.pass(2 * DAY);
  await tidy(studio);
  expect((await listUploads(studio, { limit: 50 })).items.map(({ id }) => id)).toEqual([idle.id]);
  // The ids name the pictures still, for looking and for drawing again.
  for (const id of [used.id, asset]) {
    await readFile((await getPictureFile(studio, id)).path);
    await getPictureThumbnail(studio, id, 128);
    await studio.db.write((tx) =>
      resolvePictures(tx, { image: id } as Parameters<typeof resolvePictures>[1]),
    );
  }

  clock.pass(uploadLimits.uploadDays * DAY);
  await tidy(studio);
  await expect(getPicture(studio, idle.id)).rejects.toMatchObject({ code: 'not_found' });
  const kept = await getPictureFile(studio, used.id);
  await deleteGeneration(studio, made.id);
  clock.pass(2 * DAY);
  await tidy(studio);
  await expect(getPicture(studio, used.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(readFile(kept.path)).rejects.toThrow();
});

test('a video is no picture to draw from', async () => {
  const studio = await testStudio();
  await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('worker');
  const stored = await studio.assets.put(Buffer.from('GIF89a'), 'image/gif');
  const video = { posterHash: 'a'.repeat(64), frames: 2, fps: 4 };
  const files = [{ ...stored, width: 64, height: 64, seed: 1, video }];
  await studio.jobs.finish(job?.token ?? '', files, aReceipt());
  const made = await getGeneration(studio, job?.id ?? '');
  const [asset] = made.assets;
  expect(asset).toMatchObject({ frames: 2, fps: 4, durationSeconds: 0.5 });
  expect(asset?.posterUrl).toBe(`/api/v1/assets/${asset?.id}/poster`);
  await expect(getPicture(studio, asset?.id ?? '')).rejects.toMatchObject({ code: 'not_found' });
});

test('a picture that is not there is named by its place in the request', async () => {
  const studio = await testStudio();
  const params = { image: 'a', control: [{ image: 'b' }] } as Parameters<typeof resolvePictures>[1];
  await expect(studio.db.write((tx) => resolvePictures(tx, params))).rejects.toMatchObject({
    code: 'invalid_parameter',
    errors: [
      { path: 'image', message: 'there is no such picture' },
      { path: 'control.0.image', message: 'there is no such picture' },
    ],
  });
});
