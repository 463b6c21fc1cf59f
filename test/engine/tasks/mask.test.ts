import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  composed,
  expectMask,
  feathered,
  filled,
  hidden,
  latentMask,
} from '../../../lib/engine/tasks/mask.ts';
import { pixelsOf } from '../../../lib/engine/tasks/original.ts';
import type { GrayPicture, Picture } from '../../../lib/engine/tasks/task.ts';

const [width, height] = [32, 24];

/** White in a rectangle; ends are exclusive. */
function boxMask(left: number, top: number, right: number, bottom: number): GrayPicture {
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x >= left && x < right && y >= top && y < bottom ? 255 : 0;
  });
  return { width, height, data };
}

function picture(colour: (x: number, y: number, channel: number) => number): Picture {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return colour(pixel % width, Math.floor(pixel / width), i % 3);
  });
  return { width, height, data };
}

const box = fc
  .tuple(
    fc.nat({ max: width - 1 }),
    fc.nat({ max: height - 1 }),
    fc.integer({ min: 1, max: width }),
    fc.integer({ min: 1, max: height }),
  )
  .map(([left, top, w, h]) => boxMask(left, top, Math.min(left + w, width), Math.min(top + h, height)));

describe('over latents', () => {
  test('the first pixel of each cell decides, as with torch’s nearest interpolation', () => {
    const { shape, data } = latentMask(boxMask(8, 8, 17, 24), 8);
    expect(shape).toEqual([1, 1, 3, 4]);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0]);
  });

  test('whatever is painted, something is drawn', () => {
    fc.assert(
      fc.property(box, (mask) => {
        expect(latentMask(mask, 8).data.some((value) => value === 1)).toBe(true);
      }),
    );
    expect([...latentMask(boxMask(9, 9, 11, 18), 8).data]).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
  });

  test('an empty mask is refused; gray counts from the middle on', () => {
    const gray = (value: number) => ({ width: 1, height: 1, data: Uint8Array.of(value) });
    expect(() => expectMask(gray(127))).toThrow(expect.objectContaining({ code: 'invalid_parameter' }));
    expect(() => expectMask(gray(128))).not.toThrow();
  });
});

describe('the feather', () => {
  test('shows all that is masked and nothing farther away than asked for', () => {
    fc.assert(
      fc.property(box, fc.integer({ min: 0, max: 12 }), (mask, blur) => {
        const shown = feathered(mask, blur);
        const white = [...mask.data.entries()].flatMap(([i, value]) => (value === 255 ? [i] : []));
        for (let i = 0; i < shown.length; i++) {
          const [x, y] = [i % width, Math.floor(i / width)];
          const distance = Math.min(
            ...white.map((at) => Math.max(Math.abs((at % width) - x), Math.abs(Math.floor(at / width) - y))),
          );
          if (distance === 0) expect(shown[i]).toBe(1);
          if (distance > blur) expect(shown[i]).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('fades over a straight edge', () => {
    const shown = feathered(boxMask(0, 0, 16, height), 6);
    const row = [...shown.subarray(12 * width, 13 * width)];
    expect(row[15]).toBe(1);
    expect(row.slice(15)).toEqual([...row.slice(15)].sort((a, b) => b - a));
    expect(row[17]).toBeGreaterThan(0.3);
    expect(row[17]).toBeLessThan(1);
  });
});

describe('pixels', () => {
  const original = picture((x, y, channel) => (7 * x + 11 * y + 50 * channel) % 256);
  const drawn = picture(() => 9);

  test('composing leaves the original’s bytes where nothing shows', () => {
    const mask = boxMask(4, 4, 12, 12);
    const result = composed(original, drawn, feathered(mask, 0));
    result.data.forEach((value, i) => {
      expect(value).toBe(mask.data[Math.floor(i / 3)] === 255 ? 9 : original.data[i]);
    });
  });

  test('an inpainting checkpoint sees 0 under the mask', () => {
    const mask = boxMask(4, 4, 12, 12);
    const pixels = pixelsOf(original);
    hidden(pixels, mask).data.forEach((value, i) => {
      expect(value).toBe(mask.data[i % mask.data.length] === 255 ? 0 : pixels.data[i]);
    });
  });

  test('filling takes the colours around: one colour stays one, two meet in between, none of what was there is left', () => {
    const mask = boxMask(8, 4, 24, 20);
    const one = filled(
      picture((x, y, channel) => (mask.data[y * width + x] === 255 ? 255 : 40 + channel)),
      mask,
    );
    one.data.forEach((value, i) => expect(Math.abs(value - 40 - (i % 3))).toBeLessThanOrEqual(1));
    const two = filled(
      picture((x) => (x < 8 ? 0 : x >= 24 ? 200 : 255)),
      mask,
    );
    const row = Array.from({ length: width }, (_, x) => two.data[3 * (12 * width + x)]!);
    expect(row[8]).toBeLessThan(60);
    expect(row[23]).toBeGreaterThan(140);
    expect(row.slice(8, 24)).toEqual([...row.slice(8, 24)].sort((a, b) => a - b));
  });

  test('with everything masked there is nothing to take', () => {
    expect(new Set(filled(original, boxMask(0, 0, width, height)).data).size).toBe(1);
  });
});
