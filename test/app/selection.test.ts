import { describe, expect, it } from 'vitest';
import { onTheTable } from '../../app/_lib/selection.ts';

const ids = (...names: string[]) => names.map((id) => ({ id }));

describe('which picture lies on the table', () => {
  it('follows what is being made, then what is next, then stays', () => {
    expect(onTheTable({ id: 'old', follow: true }, ids('now'), ids('next'), 'new')).toBe('now');
    expect(onTheTable({ id: 'old', follow: true }, [], ids('next', 'later'), 'new')).toBe('next');
    expect(onTheTable({ id: 'old', follow: true }, [], [], 'new')).toBe('old');
  });

  it('stays with what was picked while others are made', () => {
    expect(onTheTable({ id: 'picked', follow: false }, ids('now'), ids('next'), 'new')).toBe('picked');
  });

  it('begins with the newest, if there is one', () => {
    expect(onTheTable({ id: null, follow: true }, [], [], 'new')).toBe('new');
    expect(onTheTable({ id: null, follow: true }, [], [], undefined)).toBeUndefined();
  });
});
