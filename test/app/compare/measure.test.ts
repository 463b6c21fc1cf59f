import { describe, expect, it } from 'vitest';
import { differencePicture, gainFor, measure } from '../../../app/compare/_parts/measure.ts';

const pixels = (...values: number[]) => new Uint8ClampedArray(values);

describe('the difference of two pictures', () => {
  it('is nothing for equal ones, whatever their alpha', () => {
    expect(measure(pixels(1, 2, 3, 255), pixels(1, 2, 3, 0))).toEqual({
      mean: 0,
      max: 0,
      psnr: Infinity,
      equal: true,
    });
  });

  it('is measured over the colours alone', () => {
    const { mean, max, psnr, equal } = measure(
      pixels(0, 0, 0, 255, 10, 10, 10, 255),
      pixels(0, 0, 6, 255, 10, 10, 4, 255),
    );
    expect([mean, max, equal]).toEqual([2, 6, false]);
    // Mean squared error 72 / 6 = 12.
    expect(psnr).toBeCloseTo(10 * Math.log10((255 * 255) / 12), 10);
  });

  it('is shown as strong as it is told, and opaque', () => {
    expect([...differencePicture(pixels(10, 0, 200, 0), pixels(0, 1, 0, 0), 4)]).toEqual([40, 4, 255, 255]);
  });

  it('is shown so strong that its largest value is as bright as can be', () => {
    expect([0, 1, 18, 127, 128, 255].map(gainFor)).toEqual([1, 255, 14, 2, 1, 1]);
  });

  it('refuses pictures of different sizes', () => {
    expect(() => measure(pixels(0, 0, 0, 0), pixels())).toThrow(RangeError);
  });
});
