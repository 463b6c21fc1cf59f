import type { Motion } from '../../contracts/task-inputs.ts';
import { roundHalfEven } from '../tensor/rounding.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';

type Float32 = Tensor<'float32'>;

/**
 * How latents are read between their positions. `nearest`: as the motion field of Text2Video-Zero does, in whole
 * positions. `linear`: where one position stands for so many pixels that whole ones would jump.
 */
export type Sampling = 'nearest' | 'linear';

export interface Warped {
  /** [1, C, h, w] */
  readonly latents: Float32;
  /**
   * How much of the variance of independent noise is left, 0 to 1: 1 at whole positions, half of it or less between
   * them, because means of neighbours are less noisy. Under a zoom the mean over the picture.
   */
  readonly variance: number;
}

/** Where a frame looks, from where the first does: `x` and `y` in 512ths of the picture's width and height. */
export interface View {
  readonly x: number;
  readonly y: number;
  /** Above 1 is nearer. Default 1. */
  readonly zoom?: number;
}

/** Where frame `k` of `frames` looks. */
export function viewOf({ x, y, zoom = 1, path }: Motion, k: number, frames: number): View {
  const place = path === undefined ? { x: k * x, y: k * y } : along(path, k / (frames - 1));
  return { ...place, zoom: zoom ** k };
}

/** The place on a path from 0, 0 after that part of its length. */
function along(path: Required<Motion>['path'], part: number): { x: number; y: number } {
  const places = [{ x: 0, y: 0 }, ...path];
  const lengths = path.map(({ x, y }, i) => Math.hypot(x - places[i]!.x, y - places[i]!.y));
  let left = part * lengths.reduce((sum, length) => sum + length, 0);
  for (const [i, length] of lengths.entries()) {
    const [from, to] = [places[i]!, places[i + 1]!];
    if (left < length) {
      const share = left / length;
      return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
    }
    left -= length;
  }
  return path.at(-1)!;
}

/**
 * Text2Video-Zero's global motion (Khachatryan et al., 2023, section 3.3.1): the latents seen through a frame that has
 * moved, and zoomed about its middle. Beyond the border it mirrors. latents: [1, C, h, w].
 * diffusers: pipeline_text_to_video_zero.py, warp_single_latent (grid_sample with reflection padding)
 */
export function warp(latents: Float32, { x, y, zoom = 1 }: View, sampling: Sampling): Warped {
  const [, channels = 0, height = 0, width = 0] = latents.shape;
  const [rows, columns] = [taps(height, y, zoom, sampling), taps(width, x, zoom, sampling)];
  const out = new Float32Array(latents.data.length);
  for (let c = 0; c < channels; c++) {
    const plane = c * height * width;
    const at = (i: number, j: number): number => latents.data[plane + i * width + j]!;
    for (let i = 0; i < height; i++) {
      const { low: top, high: bottom, share: v } = rows[i]!;
      for (let j = 0; j < width; j++) {
        const { low: left, high: right, share: u } = columns[j]!;
        out[plane + i * width + j] =
          (1 - v) * ((1 - u) * at(top, left) + u * at(top, right)) +
          v * ((1 - u) * at(bottom, left) + u * at(bottom, right));
      }
    }
  }
  return { latents: float32(latents.shape, out), variance: kept(rows) * kept(columns) };
}

/** Where one position of an axis is read: at `low` and `high`, the latter with that share. */
interface Tap {
  low: number;
  high: number;
  share: number;
}

function taps(length: number, motion: number, zoom: number, sampling: Sampling): Tap[] {
  const shift = (motion * length) / 512;
  const middle = (length - 1) / 2;
  return Array.from({ length }, (_, at) => {
    const i = middle + (at - middle) / zoom;
    if (sampling === 'nearest') {
      // diffusers measures from the corner of a 512-pixel grid: half of its pixels before the centre.
      const index = reflected(roundHalfEven(reflected(i + shift - length / 1024, length)), length);
      return { low: index, high: index, share: 0 };
    }
    const position = i + shift;
    const low = Math.floor(position);
    return { low: reflected(low, length), high: reflected(low + 1, length), share: position - low };
  });
}

/** Mirrored at the outer edges -0.5 and length - 0.5, then kept inside (torch's reflect_coordinates and clip). */
function reflected(position: number, length: number): number {
  const from = position + 0.5;
  const folded = Math.abs(from) % (2 * length);
  const inside = folded > length ? 2 * length - folded : folded;
  return Math.min(Math.max(inside - 0.5, 0), length - 1);
}

/** Variance of means of two independent values, each of variance 1: the mean over an axis. */
function kept(axis: readonly Tap[]): number {
  return axis.reduce((sum, { share }) => sum + (1 - share) ** 2 + share ** 2, 0) / axis.length;
}
