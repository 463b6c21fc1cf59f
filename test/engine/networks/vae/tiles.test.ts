import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inTiles, tileStarts, type Tiling } from '../../../../lib/engine/networks/vae/tiles.ts';
import { float32, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { random } from '../../support/graphs.ts';

const tiling: Tiling = { maxArea: 64, tile: 8, overlap: 3 };

/** Repeats every position `ratio` times each way: a decoder whose answer is known. */
function enlarge(x: Tensor<'float32'>, ratio: number): Tensor<'float32'> {
  const [, channels = 0, height = 0, width = 0] = x.shape;
  const out = float32([1, channels, height * ratio, width * ratio]);
  out.data.forEach((_, i) => {
    const column = Math.floor((i % (width * ratio)) / ratio);
    const row = Math.floor((Math.floor(i / (width * ratio)) % (height * ratio)) / ratio);
    const channel = Math.floor(i / (width * height * ratio * ratio));
    out.data[i] = x.data[(channel * height + row) * width + column]!;
  });
  return out;
}

describe('tileStarts', () => {
  it('covers every position with equal tiles that overlap at least as much as asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 4, max: 32 }),
        fc.integer({ min: 0, max: 3 }),
        (size, tile, overlap) => {
          const starts = tileStarts(size, { maxArea: 0, tile, overlap });
          expect(starts[0]).toBe(0);
          expect(starts.at(-1)).toBe(Math.max(0, size - tile));
          starts
            .slice(1)
            .forEach((start, i) => expect(start - starts[i]!).toBeLessThanOrEqual(tile - overlap));
        },
      ),
    );
  });
});

describe('inTiles', () => {
  it('gives what the network gives of the whole, for one that looks at each position alone', async () => {
    for (const [height, width] of [
      [20, 9],
      [8, 33],
      [17, 17],
    ] as const) {
      const x = random([1, 2, height, width]);
      const sizes = new Set<string>();
      const y = await inTiles(x, tiling, 4, (tile) => {
        sizes.add(tile.shape.slice(2).join('x'));
        return Promise.resolve(enlarge(tile, 4));
      });
      expect([...sizes]).toEqual(['8x8']);
      const expected = enlarge(x, 4);
      expect(y.shape).toEqual(expected.shape);
      y.data.forEach((value, i) => expect(value).toBeCloseTo(expected.data[i]!, 5));
    }
  });

  it('shrinks as well, with tiles at multiples of the ratio', async () => {
    const x = random([1, 1, 24, 40]);
    const pick = (tile: Tensor<'float32'>) => {
      const [, , height = 0, width = 0] = tile.shape;
      const out = float32([1, 1, height / 4, width / 4]);
      out.data.forEach((_, i) => {
        const [row, column] = [Math.floor(i / (width / 4)) * 4, (i % (width / 4)) * 4];
        out.data[i] = tile.data[row * width + column]!;
      });
      return Promise.resolve(out);
    };
    const y = await inTiles(x, { maxArea: 100, tile: 16, overlap: 4 }, 1 / 4, pick);
    const whole = await pick(x);
    expect(y.shape).toEqual(whole.shape);
    y.data.forEach((value, i) => expect(value).toBeCloseTo(whole.data[i]!, 5));
  });

  it('leaves small inputs whole', async () => {
    const x = random([1, 1, 8, 8]);
    expect(await inTiles(x, tiling, 1, (tile) => Promise.resolve(tile))).toBe(x);
  });
});
