import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOut, moveFocus, rowOf } from '../../../app/library/_parts/rows.ts';
import { exampleGeneration } from '../support.ts';

const now = new Date(2026, 10, 24, 12);
/** `days` ago, newest first. */
const at = (days: number, index: number) =>
  exampleGeneration({
    id: `${days}-${index}`,
    createdAt: new Date(2026, 10, 24 - days, 11, 0, -index).toISOString(),
  });

describe('the contact sheet', () => {
  it('begins a row with each day', () => {
    const items = [at(0, 0), at(0, 1), at(0, 2), at(1, 0)];
    const rows = layOut(items, 2, now);
    expect(rows.map((row) => (row.kind === 'day' ? row.label : row.items.map(({ id }) => id)))).toEqual([
      'Today',
      ['0-0', '0-1'],
      ['0-2'],
      'Yesterday',
      ['1-0'],
    ]);
    expect(rowOf(rows, 2)).toBe(2);
    expect(rowOf(rows, 3)).toBe(4);
  });

  it('goes up and down in its column, and to the end of a shorter row', () => {
    const items = [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1)];
    const rows = layOut(items, 3, now);
    expect(moveFocus(rows, 1, 'down', items.length)).toBe(4);
    expect(moveFocus(rows, 2, 'down', items.length)).toBe(4);
    expect(moveFocus(rows, 3, 'up', items.length)).toBe(0);
    expect(moveFocus(rows, 0, 'up', items.length)).toBe(0);
    expect(moveFocus(rows, 4, 'right', items.length)).toBe(4);
    expect(moveFocus(rows, 4, 'first', items.length)).toBe(0);
  });

  it('shows every picture exactly once, in order, whatever the width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (days, columns) => {
          const items = [...days].sort((a, b) => a - b).map((day, index) => at(day, index));
          const rows = layOut(items, columns, now);
          const shown = rows.flatMap((row) => (row.kind === 'pictures' ? row.items : []));
          expect(shown).toEqual(items);
          items.forEach((item, index) => {
            const row = rows[rowOf(rows, index)];
            expect(row?.kind === 'pictures' && row.items[index - row.start]?.id).toBe(item.id);
          });
        },
      ),
    );
  });
});
