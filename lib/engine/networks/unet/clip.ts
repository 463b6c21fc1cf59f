import type { Frames } from '../../propagation/denoiser.ts';
import { float32, sizeOf } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { FrameRows } from './inputs.ts';

// A video's frames, drawn in parts: the first frame alone, because every other one reads its keys and values, and the
// rest as many at a time as memory and patience allow. No part knows of another, so how they are cut changes nothing.

type Float32 = Tensor<'float32'>;

/** Frames `start` to `end` (exclusive) of every video; of pictures, the whole. */
export interface ClipPart {
  readonly start: number;
  readonly end: number;
  /** Of all parts together. */
  readonly total: number;
  /** What its graph is built for; undefined for pictures. */
  readonly rows: FrameRows | undefined;
}

/** Parts of two lengths at most beside the first frame: each length is a graph of its own. */
export function partsOf(frames: Frames | undefined): ClipPart[] {
  if (frames === undefined) return [{ start: 0, end: 1, total: 1, rows: undefined }];
  const { count: total, perCall } = frames;
  const parts: ClipPart[] = [{ start: 0, end: 1, total, rows: { count: 1, crossFrame: 'first' } }];
  const calls = Math.ceil((total - 1) / Math.max(perCall, 1));
  const length = Math.ceil((total - 1) / Math.max(calls, 1));
  for (let start = 1; start < total; start += length) {
    const end = Math.min(start + length, total);
    parts.push({ start, end, total, rows: { count: end - start, crossFrame: 'rest' } });
  }
  return parts;
}

/** All frames together: every one looks at every other (motion adapters). */
export function wholeOf({ count }: Frames): ClipPart[] {
  return [{ start: 0, end: count, total: count, rows: { count } }];
}

/** The part's rows of [.. F, C, h, w]: a view where they lie together. */
export function framesOf(x: Float32, { start, end, total }: ClipPart): Float32 {
  const [rows = 0, ...rest] = x.shape;
  if (start === 0 && end === total) return x;
  const size = sizeOf(rest);
  const videos = rows / total;
  const length = (end - start) * size;
  if (videos === 1) return float32([end - start, ...rest], x.data.subarray(start * size, end * size));
  const data = new Float32Array(videos * length);
  for (let v = 0; v < videos; v++) {
    const from = (v * total + start) * size;
    data.set(x.data.subarray(from, from + length), v * length);
  }
  return float32([videos * (end - start), ...rest], data);
}

/** Predictions [S, R n, C, h, w] of every part to [S, R F, C, h, w]. */
export function joinFrames(samples: readonly Float32[], parts: readonly ClipPart[]): Float32 {
  const [first] = samples as [Float32];
  if (samples.length === 1) return first;
  const [steps = 0, rows = 0, ...rest] = first.shape;
  const total = parts[0]!.total;
  const size = sizeOf(rest);
  const data = new Float32Array(steps * rows * total * size);
  parts.forEach(({ start, end }, i) => {
    const length = (end - start) * size;
    const part = samples[i]!.data;
    for (let row = 0; row < steps * rows; row++) {
      data.set(part.subarray(row * length, (row + 1) * length), (row * total + start) * size);
    }
  });
  return float32([steps, rows * total, ...rest], data);
}
