import sharp from 'sharp';
import type { Comparison } from '../contracts/generation.ts';
import type { Picture } from '../engine/tasks/task.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { videoFrames, type VideoFile } from './video-frames.ts';

/**
 * How far pictures are from the files they repeat, over all of them together. Null when their numbers or sizes differ:
 * there is nothing to compare then.
 */
export async function comparePictures(
  files: readonly Uint8Array[],
  pictures: readonly Picture[],
): Promise<Comparison | null> {
  if (files.length !== pictures.length) return null;
  const all = new Differences();
  for (const [i, picture] of pictures.entries()) {
    const { data, info } = await sharp(files[i]).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.width !== picture.width || info.height !== picture.height || info.channels !== 3) return null;
    all.add(data, picture.data);
  }
  return all.result();
}

/**
 * The same of video files as they play: both are decoded, for a file does not hold the values that were drawn, and the
 * same frames make the same file. Also frame by frame, one video after the other. Null when numbers or sizes differ.
 * @throws EncoreError what {@link videoFrames} throws
 */
export async function compareVideos(
  ffmpeg: Ffmpeg,
  files: readonly VideoFile[],
  others: readonly VideoFile[],
  signal?: AbortSignal,
): Promise<Comparison | null> {
  if (files.length !== others.length) return null;
  const all = new Differences();
  const frames: Comparison['frames'] = [];
  for (const [i, file] of files.entries()) {
    const other = videoFrames(ffmpeg, others[i]!, signal);
    try {
      for await (const a of videoFrames(ffmpeg, file, signal)) {
        const { value: b } = await other.next();
        if (b?.width !== a.width || b.height !== a.height) return null;
        const frame = new Differences();
        frame.add(a.data, b.data);
        all.include(frame);
        frames.push(frame.result());
      }
      if ((await other.next()).done !== true) return null;
    } finally {
      await other.return(undefined);
    }
  }
  return { ...all.result(), frames };
}

/** Sums over pairs of 8-bit values. */
class Differences {
  #values = 0;
  #sum = 0;
  #squares = 0;
  #max = 0;

  add(a: Uint8Array, b: Uint8Array): void {
    for (let i = 0; i < a.length; i++) {
      const difference = Math.abs(a[i]! - b[i]!);
      this.#sum += difference;
      this.#squares += difference * difference;
      if (difference > this.#max) this.#max = difference;
    }
    this.#values += a.length;
  }

  include(other: Differences): void {
    this.#values += other.#values;
    this.#sum += other.#sum;
    this.#squares += other.#squares;
    this.#max = Math.max(this.#max, other.#max);
  }

  result(): Pick<Comparison, 'psnr' | 'meanDifference' | 'maxDifference'> {
    return {
      psnr: this.#squares === 0 ? null : 10 * Math.log10((255 * 255 * this.#values) / this.#squares),
      meanDifference: this.#sum / this.#values,
      maxDifference: this.#max,
    };
  }
}
