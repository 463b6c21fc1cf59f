import { describe, expect, it } from 'vitest';
import { emptyOutline, outlineOf, withGeneration, without } from '../../app/_lib/outline.ts';

const at = (id: string, minute: number) => ({
  id,
  createdAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
});
const ids = (outline: ReturnType<typeof outlineOf>) => outline.quarters.map((quarter) => quarter.ids);

describe('the outline of the library', () => {
  const outline = outlineOf([at('d', 44), at('c', 30), at('b', 29), at('a', 1)]);

  it('has quarters of an hour, newest first', () => {
    expect(ids(outline)).toEqual([['d', 'c'], ['b'], ['a']]);
    expect(outline.quarters.map((quarter) => quarter.at)).toEqual(
      [30, 15, 0].map((m) => Date.UTC(2026, 0, 1, 0, m)),
    );
  });

  it('takes in what is new, and what comes back, where its time is', () => {
    expect(ids(withGeneration(outline, at('e', 44)))).toEqual([['e', 'd', 'c'], ['b'], ['a']]);
    expect(ids(withGeneration(outline, at('e', 46)))).toEqual([['e'], ['d', 'c'], ['b'], ['a']]);
    expect(ids(withGeneration(outline, at('e', -1)))).toEqual([['d', 'c'], ['b'], ['a'], ['e']]);
    expect(ids(withGeneration(emptyOutline, at('e', 1)))).toEqual([['e']]);
  });

  it('stays the same object where nothing changes, so that nothing is drawn anew', () => {
    expect(withGeneration(outline, at('c', 30))).toBe(outline);
    expect(without(outline, new Set(['x']))).toBe(outline);
  });

  it('loses what is deleted, and quarters with it', () => {
    expect(ids(without(outline, new Set(['b', 'd'])))).toEqual([['c'], ['a']]);
    expect(without(outline, new Set(['a', 'b', 'c', 'd']))).toEqual(emptyOutline);
  });
});
