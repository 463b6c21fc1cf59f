import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchSize, clipSize, decodeWidth } from '../../../lib/engine/tasks/call-size.ts';

test('a small model draws the whole batch together, a large one picture by picture on a CPU', () => {
  expect(batchSize(16, 0.15e9, 'cpu')).toBe(16);
  expect(batchSize(4, 540e9, 'cpu')).toBe(1);
  expect(batchSize(4, 540e9, 'cuda')).toBe(4);
});

test('batches are equal and within the limit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.double({ min: 1e6, max: 1e12, noNaN: true }),
      (count, macs) => {
        const size = batchSize(count, macs, 'cpu');
        expect(count % size).toBe(0);
        if (size > 1) expect(size * macs).toBeLessThanOrEqual(20e9);
      },
    ),
  );
});

test('a width that was asked for is taken; auto stays between one and five', () => {
  expect(decodeWidth(7, 1e15, 'cpu')).toEqual({ steps: 7, rest: 'together' });
  expect(decodeWidth('auto', 0.14e9, 'cpu')).toEqual({ steps: 5, rest: 'singly' });
  expect(decodeWidth('auto', 8e9, 'cpu')).toEqual({ steps: 2, rest: 'singly' });
  expect(decodeWidth('auto', 540e9, 'cpu')).toEqual({ steps: 1, rest: 'singly' });
});

// Stable Diffusion 1.5 at 512 x 512, one row; npm run bench -- video.
const sd15 = { encoder: 155e9, decoder: 214e9, bytes: { call: 130e6, features: 53e6, plainFeatures: 27e6 } };

test('a video of 24 frames at 512 x 512 stays in a budget of 4 GB, and of 2 GB', () => {
  for (const device of ['cpu', 'cuda'] as const) {
    const roomy = clipSize(24, 2, sd15, device, 4e9);
    expect(roomy.plain).toBe(false);
    expect(roomy.bytes).toBeLessThanOrEqual(4e9);
    // Features that are computed ahead take twice the memory of those they are made of.
    const tight = clipSize(24, 2, sd15, device, 2e9);
    expect(tight.plain).toBe(true);
    expect(tight.bytes).toBeLessThanOrEqual(2e9);
  }
});

test('a video fits its budget wherever one frame does, and draws no more frames to a call than there are', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 1e5, max: 1e9, noNaN: true }),
      fc.double({ min: 1e8, max: 1e11, noNaN: true }),
      fc.constantFrom('cpu' as const, 'cuda' as const),
      (frames, rows, call, budget, device) => {
        const bytes = { call, features: call / 2, plainFeatures: call / 4 };
        const size = clipSize(frames, rows, { ...sd15, bytes }, device, budget);
        expect(size.perCall).toBeGreaterThanOrEqual(1);
        expect(size.perCall).toBeLessThanOrEqual(Math.max(frames - 1, 1));
        const least = frames * rows * bytes.plainFeatures + rows * call;
        if (least <= budget) expect(size.bytes).toBeLessThanOrEqual(budget * (1 + 1e-9));
      },
    ),
  );
});

test('a small model draws all frames of a step together', () => {
  const toybox = {
    encoder: 0.06e9,
    decoder: 0.08e9,
    bytes: { call: 2e6, features: 1e6, plainFeatures: 0.5e6 },
  };
  expect(clipSize(8, 2, toybox, 'cpu', 4e9)).toMatchObject({ perCall: 7, plain: false });
});
