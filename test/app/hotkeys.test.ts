import { describe, expect, it } from 'vitest';
import { keyCaps, keysOf, shortcuts } from '../../app/_lib/hotkeys.ts';

const press = (key: string, modifiers: Partial<KeyboardEvent> = {}) =>
  keysOf({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...modifiers });

describe('keyboard shortcuts', () => {
  it('names what was pressed as the list spells it', () => {
    expect(press('Enter', { ctrlKey: true })).toBe('mod+Enter');
    expect(press('Enter', { metaKey: true })).toBe('mod+Enter');
    expect(press('X', { shiftKey: true })).toBe('Shift+x');
    expect(press('?', { shiftKey: true })).toBe('?');
    expect(press('Delete')).toBe('Delete');
  });

  it('reads letters by position where Alt changes what they type', () => {
    expect(press('å', { altKey: true, code: 'KeyA' })).toBe('Alt+a');
  });

  it('means one thing by each key in one place', () => {
    const keys = shortcuts.map(({ keys }) => keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('shows the keys of the machine', () => {
    expect(keyCaps('mod+Enter', true)).toEqual(['⌘', '↵']);
    expect(keyCaps('mod+Enter', false)).toEqual(['Ctrl', 'Enter']);
    expect(keyCaps('Alt+a', false)).toEqual(['Alt', 'A']);
  });
});
