import { EncoreError } from '../../contracts/errors.ts';

/** x of A x = b by elimination with row pivoting. A few unknowns: nothing here is meant for more. */
export function solve(matrix: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length;
  const rows = matrix.map((row, i) => [...row, b[i]!]);
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let row = i + 1; row < n; row++)
      if (Math.abs(rows[row]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = row;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    if (rows[i]![i] === 0) throw new EncoreError('internal', 'a linear system has no single solution');
    for (let row = 0; row < n; row++) {
      if (row === i) continue;
      const factor = rows[row]![i]! / rows[i]![i]!;
      for (let j = i; j <= n; j++) rows[row]![j]! -= factor * rows[i]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}
