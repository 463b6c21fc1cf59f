import type { Generation } from '../../../lib/contracts/generation.ts';
import { formatDay } from '../../_lib/format.ts';

export type Row =
  | { kind: 'day'; key: string; label: string }
  /** `start` is the index of the first picture in the whole list. */
  | { kind: 'pictures'; key: string; start: number; items: Generation[] };

/** Lays the history out in rows of `columns`, a heading before each new day. Items are newest first. */
export function layOut(items: readonly Generation[], columns: number, now: Date): Row[] {
  const rows: Row[] = [];
  let day = '';
  let current: { kind: 'pictures'; key: string; start: number; items: Generation[] } | undefined;
  items.forEach((item, index) => {
    const label = formatDay(new Date(item.createdAt), now);
    if (label !== day) {
      day = label;
      current = undefined;
      rows.push({ kind: 'day', key: `day ${label}`, label });
    }
    if (current === undefined || current.items.length === columns) {
      current = { kind: 'pictures', key: item.id, start: index, items: [] };
      rows.push(current);
    }
    current.items.push(item);
  });
  return rows;
}

/** Index of the row that shows picture `index`. */
export function rowOf(rows: readonly Row[], index: number): number {
  return rows.findIndex(
    (row) => row.kind === 'pictures' && index >= row.start && index < row.start + row.items.length,
  );
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** Where an arrow key leads from picture `index`; stays within the list, and in its column where the next row has it. */
export function moveFocus(rows: readonly Row[], index: number, direction: Direction, total: number): number {
  if (direction === 'first') return 0;
  if (direction === 'last') return total - 1;
  if (direction === 'left') return Math.max(0, index - 1);
  if (direction === 'right') return Math.min(total - 1, index + 1);
  const pictures = rows.filter((row) => row.kind === 'pictures');
  const at = rowOf(pictures, index);
  const here = pictures[at];
  const next = pictures[at + (direction === 'down' ? 1 : -1)];
  if (here === undefined || next === undefined) return index;
  return next.start + Math.min(index - here.start, next.items.length - 1);
}
