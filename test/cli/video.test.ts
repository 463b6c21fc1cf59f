import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { receiptSchema } from '../../lib/contracts/generation.ts';
import { readComment } from '../../lib/media/video-comment.ts';
import { encore, scratch, useCommandLine, type CliOutcome } from '../support/cli.ts';
import { probe } from '../support/ffprobe.ts';
import { writeMotionAdapter } from '../support/motion.ts';

useCommandLine();

function generate(...args: string[]): Promise<CliOutcome> {
  const small = ['--model', 'test/golden/tiny-sd', '--width', '64', '--height', '64', '--prompt', 'a fox'];
  return encore('generate', '--device', 'cpu', ...small, ...args);
}

test('writes a video of so many frames that says how it was made', async () => {
  const out = join(scratch, 'fox.mp4');
  const { code, stdout } = await generate(
    '--frames',
    '4',
    '--fps',
    '8',
    '--steps',
    '12',
    '--out',
    out,
    '--json',
  );
  expect(code).toBe(0);
  const { path, paths, ...receipt } = JSON.parse(stdout) as Record<string, unknown>;
  expect([path, paths]).toEqual([out, [out]]);
  const { seconds, ...facts } = receiptSchema.parse(receipt);
  // Nothing is injected into videos unless it is asked for.
  expect(facts).toMatchObject({ frames: 4, fps: 8, injection: 0, width: 64, height: 64 });
  expect(seconds.ffmpeg).toBeGreaterThan(0);
  expect(await probe(out)).toMatchObject({ codec: 'h264', width: 64, height: 64, frames: 4, fps: 8 });
  const made = JSON.parse(readComment(await readFile(out)) ?? '') as { params: object };
  expect(made.params).toMatchObject({
    task: 'text-to-video',
    video: { frames: 4, fps: 8, motion: { x: 12, y: 12 } },
  });
});

test('a name alone asks for a video, and several are numbered', async () => {
  const out = join(scratch, 'two.webp');
  const { code, stdout } = await generate('--count', '2', '--steps', '3', '--motion-x', '-20', '--out', out);
  expect(code).toBe(0);
  const paths = stdout.trim().split('\n');
  expect(paths).toEqual([join(scratch, 'two-1.webp'), join(scratch, 'two-2.webp')]);
  for (const path of paths) expect((await sharp(path, { animated: true }).metadata()).pages).toBe(8);
});

test('takes a path and a zoom, and says so in the file', async () => {
  const out = join(scratch, 'path.mp4');
  const small = ['--frames', '3', '--steps', '3', '--out', out];
  const { code } = await generate(...small, '--motion-path', '96,-8 0,0', '--zoom', '1.05');
  expect(code).toBe(0);
  const made = JSON.parse(readComment(await readFile(out)) ?? '') as { params: { video: object } };
  const path = [
    { x: 96, y: -8 },
    { x: 0, y: 0 },
  ];
  expect(made.params.video).toMatchObject({ motion: { x: 12, y: 12, zoom: 1.05, path } });
  const wrong = await generate('--motion-path', '5', '--out', out);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('pairs like') as string });
});

test('a motion adapter draws the frames instead', async () => {
  const adapter = await writeMotionAdapter(join(scratch, 'tiny-motion'));
  const out = join(scratch, 'moving.gif');
  const given = ['--motion-adapter', adapter, '--frames', '3', '--steps', '2', '--out', out, '--json'];
  const { code, stdout } = await generate(...given);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ motionAdapter: 'tiny-motion', frames: 3, decoderRuns: 2 });
  expect((await sharp(out, { animated: true }).metadata()).pages).toBe(3);
  const missing = await generate('--motion-adapter', 'none', '--out', out);
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no motion adapter "none"') as string,
  });
});

test('refuses what cannot be written before anything is drawn', async () => {
  const png = await generate('--frames', '4', '--out', join(scratch, 'no.png'));
  expect(png).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/a video is written as .mp4, .webm/) as string,
  });
  const avi = await generate('--out', join(scratch, 'no.avi'));
  expect(avi).toMatchObject({ code: 2, stderr: expect.stringContaining('videos as .mp4') as string });
  const frames = await generate('--frames', '1', '--out', join(scratch, 'no.mp4'));
  expect(frames).toMatchObject({ code: 2, stderr: expect.stringContaining('--frames 1:') as string });
  expect((await readdir(scratch)).filter((name) => name.startsWith('no'))).toEqual([]);
});
