import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchSize, decodeWidth } from '../../../lib/engine/tasks/call-size.ts';

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
