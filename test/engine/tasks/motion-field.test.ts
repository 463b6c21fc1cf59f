import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { viewOf, warp } from '../../../lib/engine/tasks/motion-field.ts';
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
      const { latents, variance } = warp(picture, { x: k * motion.x, y: k * motion.y }, 'nearest');
      const size = latents.data.length;
      expect(latents.data).toEqual(expected.data.slice((k - 1) * size, k * size));
      expect(variance).toBe(1);
    }
  });

  it('does not move without motion', () => {
    const latents = random([1, 3, 5, 7]);
    for (const sampling of ['nearest', 'linear'] as const) {
      const still = warp(latents, { x: 0, y: 0 }, sampling);
      expect(still.latents.data).toEqual(latents.data);
      expect(still.variance).toBe(1);
    }
  });

  it('counts in 512ths of the picture and mirrors at its edge', () => {
    const latents = row([1, 2, 3, 4]);
    expect(numbers(warp(latents, { x: 128, y: 0 }, 'nearest').latents)).toEqual([2, 3, 4, 4]);
    expect(numbers(warp(latents, { x: -256, y: 0 }, 'nearest').latents)).toEqual([2, 1, 1, 2]);
    expect(numbers(warp(latents, { x: 128, y: 0 }, 'linear').latents)).toEqual([2, 3, 4, 4]);
    expect(numbers(warp(latents, { x: 64, y: 64 }, 'nearest').latents)).toEqual([1, 2, 3, 4]);
  });

  it('reads between positions where it is told to, and says what that leaves of noise', () => {
    const { latents, variance } = warp(row([1, 2, 3, 4]), { x: 64, y: 0 }, 'linear');
    expect(numbers(latents)).toEqual([1.5, 2.5, 3.5, 4]);
    expect(variance).toBe(0.5);
    const noise = random([1, 8, 64, 64]);
    const moved = warp(noise, { x: 2, y: 6 }, 'linear');
    const mean = moved.latents.data.reduce((sum, x) => sum + x * x, 0) / noise.data.length;
    expect(moved.variance).toBeCloseTo((0.75 ** 2 + 0.25 ** 2) ** 2, 12);
    expect(mean).toBeCloseTo(moved.variance, 1);
  });

  it('zooms about the middle', () => {
    const latents = row([1, 2, 3, 4, 5]);
    expect(numbers(warp(latents, { x: 0, y: 0, zoom: 2 }, 'linear').latents)).toEqual([2, 2.5, 3, 3.5, 4]);
    expect(numbers(warp(latents, { x: 0, y: 0, zoom: 0.5 }, 'linear').latents)).toEqual([2, 1, 3, 5, 4]);
    expect(numbers(warp(latents, { x: 0, y: 0, zoom: 4 }, 'nearest').latents)).toEqual([2, 3, 3, 3, 3]);
    const noise = random([1, 8, 64, 64]);
    const { latents: near, variance } = warp(noise, { x: 3, y: 5, zoom: 1.3 }, 'linear');
    const mean = near.data.reduce((sum, x) => sum + x * x, 0) / noise.data.length;
    expect(variance).toBeLessThan(0.6);
    expect(mean / variance).toBeCloseTo(1, 1);
  });
});

describe('where a frame looks', () => {
  it('is as much further from frame to frame, and as much nearer', () => {
    expect(viewOf({ x: 12, y: -4 }, 3, 8)).toEqual({ x: 36, y: -12, zoom: 1 });
    expect(viewOf({ x: 0, y: 0, zoom: 1.1 }, 2, 8).zoom).toBeCloseTo(1.21, 12);
  });

  it('goes along a path at one speed, and ends where it ends', () => {
    const path = [
      { x: 30, y: 0 },
      { x: 30, y: 0 },
      { x: 30, y: 90 },
    ];
    const views = [0, 1, 2, 3, 4].map((k) => viewOf({ x: 12, y: 12, path }, k, 5));
    expect(views.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [30, 0],
      [30, 30],
      [30, 60],
      [30, 90],
    ]);
  });
});
