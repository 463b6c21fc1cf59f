import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { warp } from '../../../lib/engine/tasks/motion-field.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { random } from '../support/graphs.ts';
import reference from '../../golden/tiny-sd/reference/video.json' with { type: 'json' };

const row = (values: readonly number[]) => float32([1, 1, 1, values.length], Float32Array.from(values));
const numbers = (x: Tensor) => [...x.data].map(Number);

describe('the motion field', () => {
  it("is diffusers' own, in both directions and over the border", async () => {
    const tensors = await readSafetensors('test/golden/tiny-sd/reference/video.safetensors');
    const picture = tensors.get('first_at_t0') as Tensor<'float32'>;
    const expected = tensors.get('warped') as Tensor<'float32'>;
    const { motion, frames } = reference;
    for (let k = 1; k < frames; k++) {
      const { latents, variance } = warp(picture, k * motion.x, k * motion.y, 'nearest');
      const size = latents.data.length;
      expect(latents.data).toEqual(expected.data.slice((k - 1) * size, k * size));
      expect(variance).toBe(1);
    }
  });

  it('does not move without motion', () => {
    const latents = random([1, 3, 5, 7]);
    for (const sampling of ['nearest', 'linear'] as const) {
      const still = warp(latents, 0, 0, sampling);
      expect(still.latents.data).toEqual(latents.data);
      expect(still.variance).toBe(1);
    }
  });

  it('counts in 512ths of the picture and mirrors at its edge', () => {
    const latents = row([1, 2, 3, 4]);
    expect(numbers(warp(latents, 128, 0, 'nearest').latents)).toEqual([2, 3, 4, 4]);
    expect(numbers(warp(latents, -256, 0, 'nearest').latents)).toEqual([2, 1, 1, 2]);
    expect(numbers(warp(latents, 128, 0, 'linear').latents)).toEqual([2, 3, 4, 4]);
    expect(numbers(warp(latents, 64, 64, 'nearest').latents)).toEqual([1, 2, 3, 4]);
  });

  it('reads between positions where it is told to, and says what that leaves of noise', () => {
    const { latents, variance } = warp(row([1, 2, 3, 4]), 64, 0, 'linear');
    expect(numbers(latents)).toEqual([1.5, 2.5, 3.5, 4]);
    expect(variance).toBe(0.5);
    const noise = random([1, 8, 64, 64]);
    const moved = warp(noise, 2, 6, 'linear');
    const mean = moved.latents.data.reduce((sum, x) => sum + x * x, 0) / noise.data.length;
    expect(moved.variance).toBeCloseTo((0.75 ** 2 + 0.25 ** 2) ** 2, 12);
    expect(mean).toBeCloseTo(moved.variance, 1);
  });
});
