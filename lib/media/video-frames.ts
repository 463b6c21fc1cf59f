import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import sharp from 'sharp';
import { EncoreError } from '../contracts/errors.ts';
import type { Picture } from '../engine/tasks/task.ts';
import type { Ffmpeg } from './ffmpeg.ts';

export interface VideoFile {
  readonly path: string;
  /** Media type. */
  readonly type: string;
  /** Of its frames, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second as it plays. */
  readonly fps: number;
}

/**
 * Every frame of a video as it plays, one after the other; whoever stops early leaves nothing running.
 * @throws EncoreError `internal` with ffmpeg's own words for a file that is damaged, `cancelled`
 */
export async function* videoFrames(
  ffmpeg: Ffmpeg,
  file: VideoFile,
  signal?: AbortSignal,
): AsyncGenerator<Picture, undefined> {
  const frames = file.type.startsWith('image/') ? animated(file) : decoded(ffmpeg, file);
  for await (const frame of frames) {
    if (signal?.aborted) throw new EncoreError('cancelled', 'Cancelled', { cause: signal.reason });
    yield frame;
  }
}

/** Of GIF and WebP so many bytes of pixels are decoded at a time: every time from the file's first picture on. */
const atOnce = 1 << 26;

/** GIF and WebP. Where nothing moves, WebP has one picture that stays; ffmpeg writes such files and reads none. */
async function* animated({ path, width, height, fps }: VideoFile): AsyncGenerator<Picture> {
  // By its content: sharp remembers files by their names.
  const file = await readFile(path);
  const { pages: count = 1, delay = [] } = await sharp(file, { animated: true }).metadata();
  const size = 3 * width * height;
  const most = Math.max(Math.floor(atOnce / size), 1);
  for (let page = 0; page < count; page += most) {
    const pages = Math.min(most, count - page);
    const pixels = await sharp(file, { page, pages, limitInputPixels: false }).removeAlpha().raw().toBuffer();
    for (let i = 0; i < pages; i++) {
      const data = pixels.subarray(i * size, (i + 1) * size);
      const shown = Math.max(Math.round(((delay[page + i] ?? 0) * fps) / 1000), 1);
      for (let times = 0; times < shown; times++) yield { width, height, data };
    }
  }
}

/** MP4 and WebM. */
async function* decoded({ path: program }: Ffmpeg, file: VideoFile): AsyncGenerator<Picture> {
  const { path, width, height } = file;
  const process = spawn(
    program,
    ['-v', 'error', '-i', path, '-map', '0:v:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true },
  );
  const ended = once(process, 'close');
  // Awaited below; whoever stops early does not ask.
  ended.catch(() => undefined);
  let said = '';
  process.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  try {
    for await (const data of blocks(process.stdout, 3 * width * height)) yield { width, height, data };
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new EncoreError('internal', `ffmpeg cannot read ${path}\n${said}`.trim());
  } finally {
    await kill(process);
  }
}

/** A stream cut into pieces of one size; what is left at the end is no frame. */
async function* blocks(stream: Readable, size: number): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < size) continue;
      yield block;
      block = new Uint8Array(size);
      filled = 0;
    }
  }
}

async function kill(process: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  if (process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
  process.kill('SIGKILL');
  await once(process, 'exit');
}
