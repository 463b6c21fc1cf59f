import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernels, resampled } from '../../../lib/engine/tensor/resample.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';

const names = Object.keys(kernels) as (keyof typeof kernels)[];
const row = (...values: number[]) => float32([1, 1, 1, values.length], Float32Array.from(values));

describe.each(names)('%s', (kernel) => {
  const side = fc.integer({ min: 1, max: 12 });

  test('the same size is the same picture', () => {
    const x = float32(
      [2, 3, 4, 5],
      Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)),
    );
    resampled(x, 4, 5, kernel).data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i]!, 5));
  });

  test('a constant stays one, and mirrored in is mirrored out', () => {
    fc.assert(
      fc.property(side, side, side, side, (h, w, height, width) => {
        const flat = float32([1, 1, h, w], new Float32Array(h * w).fill(0.7));
        for (const value of resampled(flat, height, width, kernel).data) expect(value).toBeCloseTo(0.7, 5);
        const x = float32(
          [1, 1, h, w],
          Float32Array.from({ length: h * w }, (_, i) => Math.cos(3 * i)),
        );
        const mirrored = { ...x, data: Float32Array.from(x.data).reverse() };
        const [a, b] = [x, mirrored].map((each) => resampled(each, height, width, kernel).data);
        [...b!].reverse().forEach((value, i) => expect(value).toBeCloseTo(a![i]!, 4));
      }),
      { numRuns: 50 },
    );
  });

  test('an empty tensor and an empty size are refused', () => {
    expect(() => resampled(float32([1, 1, 0, 2]), 2, 2, kernel)).toThrow(/\[1, 1, 0, 2\] to 2x2/);
    expect(() => resampled(row(1, 2), 0, 2, kernel)).toThrow(/0x2/);
  });
});

test('bilinear doubles as torch’s interpolate does, sample centres at half-integers', () => {
  // torch.nn.functional.interpolate(torch.tensor([[[[0., 4.]]]]), scale_factor=2, mode="bilinear")
  expect([...resampled(row(0, 4), 2, 4, 'bilinear').data]).toEqual([0, 1, 3, 4, 0, 1, 3, 4]);
});

test('lanczos overshoots at an edge, by Pillow’s weights', () => {
  const doubled = resampled(row(0, 0, 0, 1, 1, 1), 1, 12, 'lanczos3').data;
  // Six taps at a distance of 1/4, 3/4, 5/4 ...: L(x) = sinc(x) sinc(x / 3), normalised.
  const taps = [-2.25, -1.25, -0.25, 0.75, 1.75, 2.75].map(kernels.lanczos3.weight);
  const total = taps.reduce((sum, value) => sum + value, 0);
  expect(doubled[5]).toBeCloseTo((taps[3]! + taps[4]! + taps[5]!) / total, 5);
  expect(Math.max(...doubled)).toBeGreaterThan(1.01);
});
