import type { Outline } from '../../../lib/contracts/api.ts';
import { formatDay } from '../../_lib/format.ts';

/** `start` is the index, in the whole list, of the first picture in or after the row; `day` is that picture's. */
export type Row =
  | { kind: 'day'; key: string; start: number; day: string }
  | { kind: 'pictures'; key: string; start: number; day: string; count: number };

/** Lays the history out in rows of `columns`, a heading before each new day of the reader. Newest first. */
export function layOut(outline: Outline, columns: number, now: Date): Row[] {
  const rows: Row[] = [];
  let lastKey: number | undefined;
  let day = '';
  let start = 0;
  let current: Extract<Row, { kind: 'pictures' }> | undefined;
  for (const { at, ids } of outline.quarters) {
    const date = new Date(at);
    const key = (date.getFullYear() * 12 + date.getMonth()) * 31 + date.getDate();
    if (key !== lastKey) {
      lastKey = key;
      day = formatDay(date, now);
      current = undefined;
      rows.push({ kind: 'day', key: `day ${key}`, start, day });
    }
    for (const id of ids) {
      if (current === undefined || current.count === columns) {
        current = { kind: 'pictures', key: id, start, day, count: 0 };
        rows.push(current);
      }
      current.count += 1;
      start += 1;
    }
  }
  return rows;
}

/** Index of the row that shows picture `index`, -1 where there is none. */
export function rowOf(rows: readonly Row[], index: number): number {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((rows[middle]?.start ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  const row = rows[low];
  return row?.kind === 'pictures' && index >= row.start && index < row.start + row.count ? low : -1;
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** Where an arrow key leads from picture `index`; stays within the list, and in its column where the next row has it. */
export function moveFocus(rows: readonly Row[], index: number, direction: Direction, total: number): number {
  if (direction === 'first') return 0;
  if (direction === 'last') return total - 1;
  if (direction === 'left') return Math.max(0, index - 1);
  if (direction === 'right') return Math.min(total - 1, index + 1);
  const at = rowOf(rows, index);
  const here = rows[at];
  const step = direction === 'down' ? 1 : -1;
  let next = rows[at + step];
  if (next?.kind === 'day') next = rows[at + 2 * step];
  if (here === undefined || next?.kind !== 'pictures') return index;
  return next.start + Math.min(index - here.start, next.count - 1);
}
