import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outlineOf } from '../../../app/_lib/outline.ts';
import { layOut, moveFocus, rowOf, type Row } from '../../../app/library/_parts/rows.ts';

const now = new Date(2026, 10, 24, 12);
/** `days` ago, newest first. */
const at = (days: number, index: number) => ({
  id: `${days}-${index}`,
  createdAt: new Date(2026, 10, 24 - days, 11, 0, -index * 50).toISOString(),
});
const idsOf = (items: { id: string }[], row: Row) =>
  row.kind === 'day' ? row.day : items.slice(row.start, row.start + row.count).map(({ id }) => id);

describe('the contact sheet', () => {
  it('begins a row with each day', () => {
    const items = [at(0, 0), at(0, 1), at(0, 2), at(1, 0)];
    const rows = layOut(outlineOf(items), 2, now);
    expect(rows.map((row) => idsOf(items, row))).toEqual([
      'Today',
      ['0-0', '0-1'],
      ['0-2'],
      'Yesterday',
      ['1-0'],
    ]);
    expect(rows.map(({ day }) => day)).toEqual(['Today', 'Today', 'Today', 'Yesterday', 'Yesterday']);
    expect(rowOf(rows, 2)).toBe(2);
    expect(rowOf(rows, 3)).toBe(4);
    expect(rowOf(rows, 4)).toBe(-1);
    expect(rowOf([], 0)).toBe(-1);
  });

  it('goes up and down in its column, and to the end of a shorter row', () => {
    const items = [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1)];
    const rows = layOut(outlineOf(items), 3, now);
    expect(moveFocus(rows, 1, 'down', items.length)).toBe(4);
    expect(moveFocus(rows, 2, 'down', items.length)).toBe(4);
    expect(moveFocus(rows, 3, 'up', items.length)).toBe(0);
    expect(moveFocus(rows, 0, 'up', items.length)).toBe(0);
    expect(moveFocus(rows, 4, 'down', items.length)).toBe(4);
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
          const rows = layOut(outlineOf(items), columns, now);
          const shown = rows.flatMap((row) => (row.kind === 'pictures' ? idsOf(items, row) : []));
          expect(shown).toEqual(items.map(({ id }) => id));
          items.forEach((_, index) => {
            const row = rows[rowOf(rows, index)];
            expect(row?.kind).toBe('pictures');
            expect(row !== undefined && idsOf(items, row)).toContain(items[index]?.id);
          });
          const headings = rows.filter(({ kind }) => kind === 'day');
          expect(headings).toHaveLength(new Set(days).size);
        },
      ),
    );
  });
});
