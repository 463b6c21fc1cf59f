import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import { findFfmpeg, parseEncoders, parseVersion, type Ffmpeg } from '../../lib/media/ffmpeg.ts';
import { videoArguments } from '../../lib/media/video-arguments.ts';
import { writeVideo } from '../../lib/media/video.ts';
import { probe } from '../support/ffprobe.ts';
import { durable, recordSyncs } from '../support/syncs.ts';

const run = promisify(execFile);
let ffmpeg: Ffmpeg;
let folder: string;

beforeAll(async () => {
  ffmpeg = await findFfmpeg();
  folder = await mkdtemp(join(tmpdir(), 'encore-video-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A bright square that moves 4 pixels to the right with every frame, over a saturated ground. */
function frame(index: number, width = 64, height = 48): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = y >= 16 && y < 32 && x >= 4 + 4 * index && x < 20 + 4 * index;
      data.set(inside ? [250, 240, 40] : [20, 60, 200], 3 * (y * width + x));
    }
  }
  return { width, height, data };
}
const frames = (count: number, width?: number, height?: number) =>
  Array.from({ length: count }, (_, i) => frame(i, width, height));

/** Mean colour of the first frame's top left 8 x 8 pixels. */
async function corner(path: string): Promise<number[]> {
  const { stdout } = await run(
    ffmpeg.path,
    ['-v', 'error', '-i', path, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { encoding: 'buffer' },
  );
  return [...stdout.subarray(0, 3)];
}

describe('arguments', () => {
  const spec = { format: 'mp4', width: 64, height: 48, fps: 8 } as const;

  it('are H.264 that starts at once and says its colours', () => {
    const { input, output } = videoArguments(spec, new Set(['libx264', 'libopenh264']));
    expect(input.join(' ')).toBe('-f rawvideo -pix_fmt rgb24 -video_size 64x48 -framerate 8');
    expect(output.join(' ')).toBe(
      '-an -vf crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p ' +
        '-pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv ' +
        '-c:v libx264 -crf 17 -preset medium -movflags +faststart -f mp4',
    );
  });

  it('take the next encoder where the first is missing, and refuse where browsers would not play it', () => {
    const { output } = videoArguments(spec, new Set(['mpeg4', 'h264_mf', 'libopenh264']));
    expect(output).toContain('libopenh264');
    expect(output).not.toContain('-crf');
    expect(() => videoArguments(spec, new Set(['mpeg4']))).toThrow(/cannot write mp4: it has no libx264/);
  });

  it('interpolate before anything else looks at the frames', () => {
    for (const format of ['mp4', 'webm', 'gif', 'webp'] as const) {
      const encoders = new Set(['libx264', 'libvpx-vp9', 'gif', 'libwebp']);
      const { output } = videoArguments({ ...spec, format, interpolateFps: 24 }, encoders);
      const filter = output[output.findIndex((arg) => arg === '-vf' || arg === '-filter_complex') + 1];
      expect(filter).toMatch(/^minterpolate=fps=24:/);
    }
  });

  it('keep a comment in one piece', () => {
    const { output } = videoArguments({ ...spec, comment: 'a -f "b"; c' }, new Set(['libx264']));
    expect(output).toContain('comment=a -f "b"; c');
  });
});

describe('ffmpeg', () => {
  it('is found, and says what it can', () => {
    expect(ffmpeg.version).toMatch(/\d/);
    for (const encoder of ['libx264', 'libvpx-vp9', 'gif', 'libwebp'])
      expect(ffmpeg.encoders).toContain(encoder);
  });

  it('that was set and is not there is an error, not another ffmpeg', async () => {
    await expect(findFfmpeg(join(folder, 'none'))).rejects.toMatchObject({
      code: 'ffmpeg_unavailable',
      message: expect.stringContaining('not there') as string,
      remedy: expect.stringContaining('ENCORE_FFMPEG') as string,
    });
    await expect(findFfmpeg(process.execPath)).rejects.toMatchObject({ code: 'ffmpeg_unavailable' });
  });

  it('has its lists read', () => {
    expect(parseVersion('ffmpeg version 7.1 Copyright (c)')).toBe('7.1');
    const text = 'Encoders:\n V..... = Video\n ------\n V....D libx264   H.264\n A....D aac  AAC\n';
    expect([...parseEncoders(text)]).toEqual(['libx264', 'aac']);
  });
});

describe('a video', () => {
  it.each([
    ['mp4', 'h264'],
    ['webm', 'vp9'],
    ['gif', 'gif'],
  ] as const)('as %s has every frame', async (format, codec) => {
    const path = join(folder, `all.${format}`);
    const seen: number[] = [];
    await writeVideo(ffmpeg, frames(6), path, { format, fps: 5 }, { onFrame: (n) => seen.push(n) });
    const facts = await probe(path);
    expect(facts).toMatchObject({ codec, width: 64, height: 48, frames: 6, fps: 5 });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    if (format !== 'gif') expect(facts).toMatchObject({ pixels: 'yuv420p', range: 'tv', colours: 'bt709' });
  });

  it('as webp moves', async () => {
    const path = join(folder, 'all.webp');
    await writeVideo(ffmpeg, frames(6), path, { format: 'webp', fps: 5 });
    const { pages, delay, loop, width } = await sharp(path, { animated: true }).metadata();
    expect({ pages, delay, loop, width }).toEqual({
      pages: 6,
      delay: Array(6).fill(200),
      loop: 0,
      width: 64,
    });
  });

  it('keeps its colours', async () => {
    const path = join(folder, 'colours.mp4');
    await writeVideo(ffmpeg, frames(2), path, { format: 'mp4', fps: 5 });
    const [r = 0, g = 0, b = 0] = await corner(path);
    // BT.601 read as BT.709 would turn green by 25.
    for (const [value, wanted] of [
      [r, 20],
      [g, 60],
      [b, 200],
    ] as const) {
      expect(Math.abs(value - wanted)).toBeLessThan(6);
    }
  });

  it('has its index in front of its data, and says how it was made', async () => {
    const path = join(folder, 'comment.mp4');
    await writeVideo(ffmpeg, frames(3), path, { format: 'mp4', fps: 5, comment: 'an owl\nSteps: 3' });
    const bytes = await readFile(path, 'latin1');
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    expect(bytes).toContain('an owl\nSteps: 3');
  });

  it('is on the disk before it has its name', async () => {
    const path = join(folder, 'flushed.mp4');
    const syncs = await recordSyncs(path);
    await writeVideo(ffmpeg, frames(3), path, { format: 'mp4', fps: 5 });
    expect(syncs).toEqual(durable((await stat(path)).size));
  });

  it('has even sides', async () => {
    const path = join(folder, 'odd.mp4');
    await writeVideo(ffmpeg, frames(2, 37, 33), path, { format: 'mp4', fps: 5 });
    expect(await probe(path)).toMatchObject({ width: 36, height: 32 });
  });

  it('is smoothed to more frames', async () => {
    const path = join(folder, 'smooth.mp4');
    await writeVideo(ffmpeg, frames(8), path, { format: 'mp4', fps: 4, interpolateFps: 24 });
    const { fps, frames: count } = await probe(path);
    expect(fps).toBe(24);
    expect(count).toBeGreaterThanOrEqual(36);
  });
});

describe('nothing half-written', () => {
  const left = async () =>
    (await readdir(folder)).filter((name) => name.includes('part') || name.startsWith('not'));

  it('remains when it is cancelled, and ffmpeg is gone', async () => {
    const cancel = new AbortController();
    let given = 0;
    const endless = (async function* () {
      for (;;) {
        if (++given === 30) cancel.abort();
        yield frame(0, 512, 512);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const options = { format: 'webm', fps: 8 } as const;
    const path = join(folder, 'not.webm');
    await expect(writeVideo(ffmpeg, endless, path, options, { signal: cancel.signal })).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
    expect(await left()).toEqual([]);
  });

  it('remains when it was cancelled before', async () => {
    const path = join(folder, 'not.mp4');
    const given = { signal: AbortSignal.abort() };
    await expect(writeVideo(ffmpeg, frames(3), path, { format: 'mp4', fps: 8 }, given)).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
    expect(await left()).toEqual([]);
  });

  it('remains when a frame cannot be made', async () => {
    const broken = (async function* () {
      yield* frames(2);
      throw new RangeError('no third frame');
    })();
    const path = join(folder, 'not.mp4');
    await expect(writeVideo(ffmpeg, broken, path, { format: 'mp4', fps: 8 })).rejects.toThrow(
      'no third frame',
    );
    await expect(
      writeVideo(ffmpeg, [frame(0), frame(1, 32, 32)], path, { format: 'mp4', fps: 8 }),
    ).rejects.toThrow('frame 1 is 32 x 32, the first was 64 x 48');
    await expect(writeVideo(ffmpeg, [], path, { format: 'mp4', fps: 8 })).rejects.toMatchObject({
      code: 'invalid_parameter',
    });
    expect(await left()).toEqual([]);
  });

  it('remains when ffmpeg fails, and its words are told', async () => {
    const path = join(folder, 'not.mp4');
    // x264 takes no picture of one pixel; the crop to even sides says so.
    await expect(writeVideo(ffmpeg, frames(2, 1, 1), path, { format: 'mp4', fps: 8 })).rejects.toThrow(
      /ffmpeg exited with code 1[^]*crop/,
    );
    expect(await left()).toEqual([]);
  });

  it('takes frames only as fast as ffmpeg does', async () => {
    const cancel = new AbortController();
    let given = 0;
    const still = frame(0, 512, 512);
    const many = (function* () {
      for (; given < 20_000; given++) yield still;
    })();
    const path = join(folder, 'not.webm');
    const writing = writeVideo(ffmpeg, many, path, { format: 'webm', fps: 8 }, { signal: cancel.signal });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const soon = given;
    cancel.abort();
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    // Made at no cost, all of them would be there by then.
    expect(soon).toBeLessThan(2_000);
  });
});
