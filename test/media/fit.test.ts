import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  decodeMask,
  decodePicture,
  fitMask,
  fitPicture,
  fitPictures,
  naturalSize,
} from '../../lib/media/fit.ts';

/** A PNG whose red grows to the right and green downwards. */
function ramp(width: number, height: number): Promise<Buffer> {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    data[3 * i] = Math.round((255 * (i % width)) / Math.max(width - 1, 1));
    data[3 * i + 1] = Math.round((255 * Math.floor(i / width)) / Math.max(height - 1, 1));
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A mask file, white in a rectangle. */
function maskFile(width: number, height: number, box: [number, number, number, number]): Promise<Buffer> {
  const data = new Uint8Array(width * height);
  const [left, top, right, bottom] = box;
  for (let y = top; y < bottom; y++) data.fill(255, y * width + left, y * width + right);
  return sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}

describe('reading', () => {
  test('what is transparent is white in a picture and kept in a mask', async () => {
    const clear = await sharp({ create: { width: 2, height: 2, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    expect([...(await decodePicture(clear)).data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect((await decodeMask(clear)).data).toEqual(new Uint8Array(4));
  });

  test('a mask drawn in colours counts by its light', async () => {
    const lightOf = async (background: string) => {
      const file = sharp({ create: { width: 3, height: 2, channels: 3, background } }).png();
      const { width, height, data } = await decodeMask(await file.toBuffer());
      expect({ width, height, levels: new Set(data).size }).toEqual({ width: 3, height: 2, levels: 1 });
      return data[0]!;
    };
    expect(await lightOf('white')).toBe(255);
    expect(await lightOf('lime')).toBeGreaterThan(150);
    expect(await lightOf('blue')).toBeLessThan(110);
  });

  test('what is no picture is refused', async () => {
    await expect(decodePicture(Buffer.from('no picture'))).rejects.toMatchObject({
      code: 'invalid_parameter',
    });
  });
});

describe('to size', () => {
  test('a picture that fits is the same bytes', async () => {
    const picture = await decodePicture(await ramp(16, 8));
    for (const mode of ['crop', 'pad', 'stretch'] as const) {
      expect(await fitPicture(picture, { width: 16, height: 8 }, mode)).toBe(picture);
    }
  });

  test('crop keeps the middle, stretch keeps the ends, pad repeats the edges', async () => {
    const wide = await decodePicture(await ramp(64, 16));
    const size = { width: 16, height: 16 };
    const redOfRow = async (mode: 'crop' | 'pad' | 'stretch', row: number) => {
      const { data } = await fitPicture(wide, size, mode);
      return [data[3 * 16 * row]!, data[3 * (16 * row + 15)]!];
    };
    const [left, right] = await redOfRow('crop', 8);
    expect(left).toBeGreaterThan(80);
    expect(right).toBeLessThan(175);
    const [start, end] = await redOfRow('stretch', 8);
    expect(start).toBeLessThan(15);
    expect(end).toBeGreaterThan(240);
    const padded = await fitPicture(wide, size, 'pad');
    const row = (y: number) => padded.data.subarray(3 * 16 * y, 3 * 16 * (y + 1));
    expect(row(0)).toEqual(row(6));
    expect(row(15)).toEqual(row(9));
    expect(row(0)).not.toEqual(row(9));
  });

  test('any picture comes out at the size asked for, and so does its mask', async () => {
    const side = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ width: side, height: side }),
        fc.record({ width: side, height: side }),
        fc.constantFrom('crop' as const, 'pad' as const, 'stretch' as const),
        async (from, size, mode) => {
          const picture = { ...from, data: new Uint8Array(3 * from.width * from.height).fill(90) };
          const fitted = await fitPicture(picture, size, mode);
          expect([fitted.width, fitted.height]).toEqual([size.width, size.height]);
          expect(fitted.data.every((value) => Math.abs(value - 90) <= 1)).toBe(true);
          const mask = { ...from, data: new Uint8Array(from.width * from.height).fill(255) };
          const fittedMask = await fitMask(mask, from, size, mode);
          expect(fittedMask.data).toHaveLength(size.width * size.height);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a mask at the size of the result stays; one of the picture’s shape follows; another is refused', async () => {
    const mask = await decodeMask(await maskFile(32, 16, [0, 0, 16, 16]));
    const size = { width: 32, height: 16 };
    expect(await fitMask(mask, { width: 99, height: 7 }, size, 'crop')).toBe(mask);
    const followed = await fitMask(mask, { width: 64, height: 32 }, { width: 16, height: 16 }, 'crop');
    // The middle of the picture: the border of the mask lies in the middle too.
    expect([followed.data[0], followed.data[15]]).toEqual([255, 0]);
    await expect(
      fitMask(mask, { width: 64, height: 64 }, { width: 16, height: 16 }, 'crop'),
    ).rejects.toMatchObject({
      code: 'invalid_parameter',
      message: 'the mask is 32x16 and the picture 64x64: their shapes differ',
    });
  });
});

describe('outpaint', () => {
  const border = { left: 8, top: 0, right: 16, bottom: 24 };

  test('the border is drawn, repeats the edge until then, and the picture stays in its place', async () => {
    const file = await ramp(16, 16);
    const { image, mask, ...size } = await fitPictures({
      width: 16,
      height: 16,
      image: file,
      outpaint: border,
    });
    expect(size).toEqual({ width: 40, height: 40 });
    const original = await decodePicture(file);
    for (let y = 0; y < 40; y++) {
      for (let x = 0; x < 40; x++) {
        const inside = x >= 8 && x < 24 && y < 16;
        expect(mask!.data[40 * y + x]).toBe(inside ? 0 : 255);
        const [nearX, nearY] = [Math.min(Math.max(x - 8, 0), 15), Math.min(y, 15)];
        expect(image!.data[3 * (40 * y + x)]).toBe(original.data[3 * (16 * nearY + nearX)]);
      }
    }
  });

  test('a canvas that is too large is refused', async () => {
    const files = { width: 2048, height: 64, image: await ramp(2048, 64) };
    await expect(fitPictures({ ...files, outpaint: border })).rejects.toMatchObject({
      code: 'invalid_parameter',
      message: 'with its border the picture is 2072x88: sides may have 2048 pixels',
    });
  });

  test('a mask is kept inside it', async () => {
    const files = { image: await ramp(16, 16), mask: await maskFile(16, 16, [4, 4, 8, 8]) };
    const { mask } = await fitPictures({ width: 16, height: 16, ...files, outpaint: border });
    expect(mask!.data[40 * 5 + 8 + 5]).toBe(255);
    expect(mask!.data[40 * 10 + 8 + 5]).toBe(0);
  });
});

describe('the size of a picture that is given none', () => {
  const model = { width: 512, height: 512 };

  test.each([
    [
      { width: 640, height: 360 },
      { width: 640, height: 360 },
    ],
    [
      { width: 643, height: 365 },
      { width: 640, height: 360 },
    ],
    [
      { width: 1024, height: 1024 },
      { width: 1024, height: 1024 },
    ],
    [
      { width: 4000, height: 3000 },
      { width: 584, height: 440 },
    ],
    [
      { width: 10, height: 10 },
      { width: 64, height: 64 },
    ],
  ])('%o is drawn at %o', (picture, size) => {
    expect(naturalSize(picture, model, 8)).toEqual(size);
  });

  test('is always one that can be drawn', () => {
    const side = fc.integer({ min: 1, max: 60_000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const size = naturalSize({ width, height }, model, 8);
        for (const pixels of [size.width, size.height]) {
          expect(pixels % 8).toBe(0);
          expect(pixels).toBeGreaterThanOrEqual(64);
          expect(pixels).toBeLessThanOrEqual(2048);
        }
      }),
    );
  });
});
