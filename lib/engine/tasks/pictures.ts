import { float32, type Tensor } from '../tensor/tensor.ts';
import type { Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/** Pictures from pixels [B, 3, H, W] in -1 .. 1, as diffusers' VaeImageProcessor rounds them. */
export function picturesOf(pixels: Float32): Picture[] {
  const [batch = 0, , height = 0, width = 0] = pixels.shape;
  const area = height * width;
  return Array.from({ length: batch }, (_, b) => {
    const planes = pixels.data.subarray(3 * b * area, 3 * (b + 1) * area);
    const data = new Uint8Array(3 * area);
    for (let i = 0; i < area; i++) {
      for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = byte(planes[channel * area + i]!);
    }
    return { width, height, data };
  });
}

function byte(value: number): number {
  return Math.round(Math.min(Math.max(value / 2 + 0.5, 0), 1) * 255);
}

/** The same row [1, ...] `count` times. */
export function repeatRow(row: Float32, count: number): Float32 {
  const data = new Float32Array(row.data.length * count);
  for (let i = 0; i < count; i++) data.set(row.data, i * row.data.length);
  return float32([count, ...row.shape.slice(1)], data);
}
