import { expect } from 'vitest';
import type { Picture } from '../../lib/engine/tasks/task.ts';
import type { Tensor } from '../../lib/engine/tensor/tensor.ts';

/**
 * How far an implementation may be from torch, as multiples of the std of what is expected. torch's own fp32 lies
 * 6e-6 (max) and 1.2e-6 (rms) from fp64; the smallest mistakes worth catching cost 6e-6 rms and more.
 */
export const FORWARD_MAX = 2e-5;
export const FORWARD_RMS = 4e-6;
/** Ten steps feed back into each other: largest difference over the scale of the latents. */
export const TRAJECTORY_MAX = 1e-4;

export interface Difference {
  /** Largest absolute difference and root mean square, each over the std of what is expected. */
  max: number;
  rms: number;
  index: number;
}

export function difference(actual: Tensor, expected: Tensor): Difference {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [actual.data as Float32Array, expected.data as Float32Array];
  const mean = b.reduce((sum, value) => sum + value, 0) / b.length;
  const std = Math.sqrt(b.reduce((sum, value) => sum + (value - mean) ** 2, 0) / b.length);
  let [largest, index, squares] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    squares += distance ** 2;
    // Written so that a NaN is found too.
    if (!(distance <= largest)) [largest, index] = [distance, i];
  }
  return { max: largest / std, rms: Math.sqrt(squares / b.length) / std, index };
}

/** One forward, by the gates above. The message has the worst element and both values. */
export function expectForward(actual: Tensor, expected: Tensor, what: string): void {
  const { max, rms, index } = difference(actual, expected);
  const worst = `${what}: element ${index} is ${String(actual.data[index])}, expected ${String(expected.data[index])}`;
  expect(max, worst).toBeLessThanOrEqual(FORWARD_MAX);
  expect(rms, worst).toBeLessThanOrEqual(FORWARD_RMS);
}

/** One point of a trajectory. */
export function expectTrajectory(actual: Tensor, expected: Tensor, what: string): void {
  const { max, index } = difference(actual, expected);
  const worst = `${what}: element ${index} is ${String(actual.data[index])}, expected ${String(expected.data[index])}`;
  expect(max, worst).toBeLessThanOrEqual(TRAJECTORY_MAX);
}

/** Pictures against torch's [B, 3, H, W] uint8: nothing but roundings of a half may differ, by one level. */
export function expectPictures(pictures: readonly Picture[], expected: Tensor): void {
  const [batch = 0, , height = 0, width = 0] = expected.shape;
  expect(pictures).toHaveLength(batch);
  const area = height * width;
  pictures.forEach((picture, b) => {
    expect([picture.width, picture.height]).toEqual([width, height]);
    let different = 0;
    for (let i = 0; i < 3 * area; i++) {
      const value = Number(expected.data[3 * area * b + (i % 3) * area + Math.floor(i / 3)]);
      const distance = Math.abs(picture.data[i]! - value);
      expect(distance, `picture ${b}, byte ${i}`).toBeLessThanOrEqual(1);
      different += distance;
    }
    expect(different / (3 * area), `share of bytes that differ in picture ${b}`).toBeLessThan(0.005);
  });
}
