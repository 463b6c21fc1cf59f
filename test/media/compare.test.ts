import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { videoFormats } from '../../lib/contracts/task-inputs.ts';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import { comparePictures, compareVideos } from '../../lib/media/compare.ts';
import { findFfmpeg, type Ffmpeg } from '../../lib/media/ffmpeg.ts';
import { encodePng } from '../../lib/media/png.ts';
import { mediaTypes, type VideoFormat } from '../../lib/media/video-arguments.ts';
import { videoFrames, type VideoFile } from '../../lib/media/video-frames.ts';
import { writeVideo } from '../../lib/media/video.ts';

const side = 32;
let ffmpeg: Ffmpeg;
let folder: string;

beforeAll(async () => {
  ffmpeg = await findFfmpeg();
  folder = await mkdtemp(join(tmpdir(), 'encore-compare-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function gray(value: number): Picture {
  return { width: side, height: side, data: new Uint8Array(3 * side * side).fill(value) };
}

/** Frames of one gray each; a codec keeps those to within a rounding of its colours. */
async function video(
  name: string,
  format: VideoFormat,
  values: readonly number[],
  fps = 8,
): Promise<VideoFile> {
  const path = join(folder, `${name}.${format}`);
  await writeVideo(ffmpeg, values.map(gray), path, { format, fps });
  return { path, type: mediaTypes[format], width: side, height: side, fps };
}

const aBit = 3;

describe.each(videoFormats)('a video as %s', (format) => {
  it.each([4, 24, 60])('is read back frame by frame, at %i a second', async (fps) => {
    const values = [20, 60, 100, 100, 100, 220, 20];
    const file = await video('read', format, values, fps);
    const seen = [];
    for await (const { data } of videoFrames(ffmpeg, file)) seen.push(data[3 * 17] ?? 0);
    expect(seen).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs((seen[i] ?? 0) - value)).toBeLessThan(aBit);
  });

  it('is compared over all frames, and each for itself', async () => {
    const one = await video('one', format, [100, 100, 100, 40]);
    const other = await video('other', format, [100, 160, 110, 50]);
    const same = await video('same', format, [100, 100, 100, 40]);
    expect(await compareVideos(ffmpeg, [one], [same])).toEqual({
      ...{ psnr: null, meanDifference: 0, maxDifference: 0 },
      frames: Array(4).fill({ psnr: null, meanDifference: 0, maxDifference: 0 }),
    });
    const { frames = [], ...all } = (await compareVideos(ffmpeg, [one], [other])) ?? {};
    const means = [0, 60, 10, 10];
    expect(frames).toHaveLength(4);
    for (const [i, frame] of frames.entries()) {
      expect(Math.abs(frame.meanDifference - means[i]!)).toBeLessThan(aBit);
      expect(frame.maxDifference).toBeGreaterThanOrEqual(frame.meanDifference);
    }
    expect(all).toEqual({
      psnr: expect.closeTo(10 * Math.log10(255 ** 2 / ((0 + 3600 + 100 + 100) / 4)), 0) as number,
      meanDifference: expect.closeTo(frames.reduce((sum, f) => sum + f.meanDifference, 0) / 4, 9) as number,
      maxDifference: Math.max(...frames.map((f) => f.maxDifference)),
    });
  });
});

describe('videos', () => {
  it('of other lengths, sizes or numbers are not compared', async () => {
    const [long, short] = [await video('long', 'mp4', [1, 2, 3]), await video('short', 'mp4', [1, 2])];
    expect(await compareVideos(ffmpeg, [long], [short])).toBeNull();
    expect(await compareVideos(ffmpeg, [short], [long])).toBeNull();
    expect(await compareVideos(ffmpeg, [long], [long, long])).toBeNull();
    const small = { ...long, width: 16 };
    expect(await compareVideos(ffmpeg, [long], [small])).toBeNull();
    const twice = await compareVideos(ffmpeg, [long, short], [long, short]);
    expect(twice?.frames).toHaveLength(5);
  });

  it('that are damaged are said to be, in the words of ffmpeg', async () => {
    const whole = await video('whole', 'mp4', [1, 2, 3]);
    const path = join(folder, 'damaged.mp4');
    await writeFile(path, (await readFile(whole.path)).subarray(100));
    await expect(compareVideos(ffmpeg, [whole], [{ ...whole, path }])).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/damaged\.mp4\n[^]*Invalid data/) as string,
    });
  });

  it('are no longer read once that is cancelled', async () => {
    const file = await video('cancelled', 'mp4', [1, 2, 3]);
    const cancel = new AbortController();
    const frames = videoFrames(ffmpeg, file, cancel.signal);
    await frames.next();
    cancel.abort();
    await expect(frames.next()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

it('pictures are compared over all of them, with their files', async () => {
  const [a, b] = [gray(10), gray(14)];
  const files = [await encodePng(a, null), await encodePng(b, null)];
  expect(await comparePictures(files, [a, gray(10)])).toEqual({
    psnr: 10 * Math.log10(255 ** 2 / 8),
    meanDifference: 2,
    maxDifference: 4,
  });
  expect(await comparePictures(files, [a])).toBeNull();
  expect(await comparePictures(files, [a, { ...b, width: 16, height: 64 }])).toBeNull();
});
