import { float32 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** How a picture too large for one call is taken apart. Lengths are in positions of the input. */
export interface Tiling {
  /** Inputs of at most this many positions (height times width) are not taken apart. */
  maxArea: number;
  /** Side of a tile. */
  tile: number;
  /** Least overlap of neighbours, over which one fades into the other. */
  overlap: number;
}

/** Starts of equal tiles that cover `size`, evenly spread; one tile of the whole size where it fits. */
export function tileStarts(size: number, { tile, overlap }: Tiling): number[] {
  if (size <= tile) return [0];
  const count = Math.ceil((size - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (size - tile)) / (count - 1)));
}

/**
 * Runs a network over tiles of x [1, C, h, w] and blends the results, each weighted by its distance from its own edge.
 * `ratio` is output positions per input position (8 for a decoder, 1/8 for an encoder; tiles then start at multiples
 * of 8).
 */
export async function inTiles(
  x: Tensor<'float32'>,
  tiling: Tiling,
  ratio: number,
  network: (tile: Tensor<'float32'>) => Promise<Tensor<'float32'>>,
): Promise<Tensor<'float32'>> {
  const [, , height = 0, width = 0] = x.shape;
  if (height * width <= tiling.maxArea) return network(x);
  const snap = (start: number): number => (ratio < 1 ? Math.round(start * ratio) / ratio : start);
  const size = { height: Math.min(tiling.tile, height), width: Math.min(tiling.tile, width) };
  let sum: Tensor<'float32'> | undefined;
  let weights: Float32Array | undefined;
  for (const top of tileStarts(height, tiling).map(snap)) {
    for (const left of tileStarts(width, tiling).map(snap)) {
      const part = await network(crop(x, top, left, size.height, size.width));
      const channels = part.shape[1] ?? 0;
      sum ??= float32([1, channels, height * ratio, width * ratio]);
      weights ??= new Float32Array(height * ratio * width * ratio);
      accumulate(sum, weights, part, top * ratio, left * ratio);
    }
  }
  if (!sum || !weights) return network(x);
  const area = weights.length;
  for (let i = 0; i < sum.data.length; i++) sum.data[i] = (sum.data[i] ?? 0) / (weights[i % area] ?? 1);
  return sum;
}

function crop(
  x: Tensor<'float32'>,
  top: number,
  left: number,
  height: number,
  width: number,
): Tensor<'float32'> {
  const [, channels = 0, fullHeight = 0, fullWidth = 0] = x.shape;
  const out = float32([1, channels, height, width]);
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < height; row++) {
      const from = (c * fullHeight + top + row) * fullWidth + left;
      out.data.set(x.data.subarray(from, from + width), (c * height + row) * width);
    }
  }
  return out;
}

function accumulate(
  sum: Tensor<'float32'>,
  weights: Float32Array,
  part: Tensor<'float32'>,
  top: number,
  left: number,
): void {
  const [, channels = 0, height = 0, width = 0] = part.shape;
  const [, , fullHeight = 0, fullWidth = 0] = sum.shape;
  const edge = (i: number, size: number): number => Math.min(i + 1, size - i);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const weight = edge(row, height) * edge(column, width);
      const to = (top + row) * fullWidth + left + column;
      weights[to] = (weights[to] ?? 0) + weight;
      for (let c = 0; c < channels; c++) {
        const at = c * fullHeight * fullWidth + to;
        sum.data[at] = (sum.data[at] ?? 0) + weight * (part.data[(c * height + row) * width + column] ?? 0);
      }
    }
  }
}
