import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import fluent from 'fluent-ffmpeg';
import { EncoreError } from '../contracts/errors.ts';
import type { Picture } from '../engine/tasks/task.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { videoArguments, type VideoArguments, type VideoSpec } from './video-arguments.ts';

export type VideoOptions = Omit<VideoSpec, 'width' | 'height'>;

export interface VideoHooks {
  /** Kills ffmpeg and removes what it wrote; ends in an EncoreError `cancelled`. */
  signal?: AbortSignal | undefined;
  /** Frames handed to ffmpeg so far. */
  onFrame?: ((frames: number) => void) | undefined;
}

/**
 * Writes frames of one size as a video, one after the other as ffmpeg takes them. The file is there whole or not at all.
 * @throws EncoreError `invalid_parameter` without frames, `internal` with ffmpeg's own words, `cancelled`, and whatever
 * the frames throw
 */
export async function writeVideo(
  ffmpeg: Ffmpeg,
  frames: Iterable<Picture> | AsyncIterable<Picture>,
  path: string,
  options: VideoOptions,
  hooks: VideoHooks = {},
): Promise<void> {
  const { first, all } = await peek(frames);
  if (first === undefined) throw new EncoreError('invalid_parameter', 'a video needs at least one frame');
  const { width, height } = first;
  const args = videoArguments({ ...options, width, height }, ffmpeg.encoders);
  const temporary = join(dirname(path), `.${randomUUID()}.part.${options.format}`);
  try {
    const raw = Readable.from(bytesOf(all, first, hooks), { highWaterMark: 1 });
    await encode(ffmpeg, args, raw, temporary, hooks.signal);
    await flush(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // The rename, too, survives a power cut. Windows cannot open directories and needs no such call.
  if (process.platform !== 'win32') await flush(dirname(path));
}

/** The first frame says how large all of them are. */
async function peek(
  frames: Iterable<Picture> | AsyncIterable<Picture>,
): Promise<{ first: Picture | undefined; all: AsyncIterable<Picture> }> {
  const rest = (async function* () {
    yield* frames;
  })();
  const { value: first, done } = await rest.next();
  if (done === true) return { first: undefined, all: rest };
  const all = (async function* () {
    yield first;
    yield* rest;
  })();
  return { first, all };
}

async function* bytesOf(
  frames: AsyncIterable<Picture>,
  { width, height }: Picture,
  { signal, onFrame }: VideoHooks,
): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const frame of frames) {
    if (signal?.aborted) throw cancelled(signal);
    if (frame.width !== width || frame.height !== height) {
      throw new EncoreError(
        'internal',
        `frame ${count} is ${frame.width} x ${frame.height}, the first was ${width} x ${height}`,
      );
    }
    count++;
    yield Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
    onFrame?.(count);
  }
}

/** Runs ffmpeg until it ends. Its process is gone when this returns or throws. */
async function encode(
  ffmpeg: Ffmpeg,
  args: VideoArguments,
  frames: Readable,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) throw cancelled(signal);
  const command = fluent(frames)
    // As several arguments: fluent-ffmpeg takes an array apart at spaces.
    .inputOptions(...args.input)
    .outputOptions(...args.output)
    .output(path);
  command.setFfmpegPath(ffmpeg.path);
  const kill = () => command.kill('SIGKILL');
  let process: ChildProcess | undefined;
  let source: unknown;
  frames.on('error', (error) => {
    source = error;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      command.on('end', () => resolve());
      command.on('error', (error: Error, _stdout: unknown, log: unknown) => {
        if (signal?.aborted) reject(cancelled(signal));
        else reject(source === undefined ? failed(error, log) : EncoreError.from(source));
      });
      command.on('start', () => {
        ({ ffmpegProc: process } = command as { ffmpegProc?: ChildProcess });
        // Before it has started there is nothing to kill.
        if (signal?.aborted) kill();
      });
      signal?.addEventListener('abort', kill);
      command.run();
    });
  } finally {
    signal?.removeEventListener('abort', kill);
    frames.destroy();
    // Frames that fail end the command before its process, which would still make the file.
    if (process !== undefined && process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
  }
}

function failed(error: Error, log: unknown): EncoreError {
  const lines = typeof log === 'string' ? log.trim().split('\n') : [];
  const said = lines.filter(
    (line) => line.trim() !== '' && !/^(ffmpeg version| {2}(built|configuration|lib))/.test(line),
  );
  return new EncoreError('internal', `${error.message}\n${said.slice(-12).join('\n')}`.trim(), {
    cause: error,
  });
}

function cancelled(signal: AbortSignal): EncoreError {
  return new EncoreError('cancelled', 'Cancelled', { cause: signal.reason });
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
