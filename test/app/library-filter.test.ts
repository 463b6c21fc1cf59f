import { describe, expect, it } from 'vitest';
import { outlineQuerySchema } from '../../lib/contracts/api.ts';
import {
  libraryLink,
  readFilter,
  toQuery,
  writeFilter,
  type LibraryFilter,
} from '../../app/_lib/library-filter.ts';

const now = new Date(2026, 10, 24, 12, 30);

describe('the filter of the library', () => {
  const full: LibraryFilter = {
    q: 'a fox & 50%',
    task: 'text-to-image',
    model: 'toybox',
    status: 'failed',
    starred: true,
    board: 'none',
    when: { from: '2026-11-01', to: '2026-11-03' },
  };

  it('is the same after it was in an address', () => {
    for (const filter of [full, {}, { when: 'week' } as const, { when: { to: '2026-01-01' } }]) {
      expect(readFilter(writeFilter(filter))).toEqual(filter);
    }
    expect(libraryLink({})).toBe('/library');
    expect(libraryLink({ starred: true }, 'x')).toBe('/library/x?starred=');
  });

  it('leaves out what an address cannot mean', () => {
    const query = new URLSearchParams('task=sing&status=odd&when=never&from=yesterday&model=');
    expect(readFilter(query)).toEqual({});
  });

  it('asks for the days of the reader, the last one too', () => {
    expect(toQuery(full, now)).toMatchObject({
      starred: 'true',
      from: new Date(2026, 10, 1).toISOString(),
      to: new Date(2026, 10, 4).toISOString(),
    });
    expect(toQuery({ when: 'today' }, now)).toEqual({ from: new Date(2026, 10, 24).toISOString() });
    expect(toQuery({ when: 'week' }, now)).toEqual({ from: new Date(2026, 10, 18).toISOString() });
    expect(toQuery({ when: 'year' }, now)).toEqual({ from: new Date(2026, 0, 1).toISOString() });
  });

  it('is understood by the API whatever it says', () => {
    for (const filter of [full, { when: 'month' } as const]) {
      expect(outlineQuerySchema.safeParse(toQuery(filter, now)).success).toBe(true);
    }
  });
});
