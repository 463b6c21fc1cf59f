import fc from 'fast-check';
import { expect, test } from 'vitest';
import { solve } from '../../../lib/engine/tensor/linear-system.ts';

test('solves what a known x makes, rows to be exchanged included', () => {
  expect(
    solve(
      [
        [0, 2],
        [3, 0],
      ],
      [4, 9],
    ),
  ).toEqual([3, 2]);
  const value = fc.double({ min: -2, max: 2, noNaN: true });
  const system = fc.integer({ min: 1, max: 6 }).chain((n) => {
    return fc.tuple(
      fc.array(fc.array(value, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
      fc.array(value, { minLength: n, maxLength: n }),
    );
  });
  fc.assert(
    fc.property(system, ([noise, x]) => {
      // Rows that lean on their diagonal are far from singular.
      const matrix = noise.map((row, i) => row.map((v, j) => v + (i === j ? 20 : 0)));
      const b = matrix.map((row) => row.reduce((sum, v, j) => sum + v * x[j]!, 0));
      solve(matrix, b).forEach((v, i) => expect(v).toBeCloseTo(x[i]!, 9));
    }),
  );
});

test('a singular system is refused', () => {
  expect(() =>
    solve(
      [
        [1, 1],
        [1, 1],
      ],
      [1, 2],
    ),
  ).toThrow(/no single solution/);
});
