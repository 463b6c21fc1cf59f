'use client';
import { useEffect, useEffectEvent } from 'react';

/** Every shortcut of the studio, in the order the `?` list shows them. `mod` is Ctrl, on a Mac Cmd. */
export const shortcuts = [
  { group: 'Anywhere', keys: '?', does: 'Show this list' },
  { group: 'Anywhere', keys: '1', does: 'Go to Create' },
  { group: 'Anywhere', keys: '2', does: 'Go to the Library' },
  { group: 'Anywhere', keys: '3', does: 'Go to the Queue' },
  { group: 'Anywhere', keys: '4', does: 'Go to Models' },
  { group: 'Anywhere', keys: '5', does: 'Go to Settings' },
  { group: 'Create', keys: 'mod+Enter', does: 'Generate' },
  { group: 'Create', keys: 'Alt+a', does: 'Write in the prompt' },
  { group: 'Create', keys: 'Shift+x', does: 'Cancel the picture that is being made' },
  { group: 'Create', keys: 'Alt+s', does: 'Open or close the details' },
  { group: 'In the prompt', keys: 'mod+ArrowUp', does: 'Give the selected words more weight' },
  { group: 'In the prompt', keys: 'mod+ArrowDown', does: 'Give the selected words less weight' },
  { group: 'In the prompt', keys: 'Alt+ArrowUp', does: 'Bring back the prompt before this one' },
  { group: 'In the prompt', keys: 'Alt+ArrowDown', does: 'Go to the prompt after this one' },
  { group: 'In the prompt', keys: 'Alt+ArrowLeft', does: 'Move this phrase to the front' },
  { group: 'In the prompt', keys: 'Alt+ArrowRight', does: 'Move this phrase to the back' },
  { group: 'Painting', keys: '[', does: 'Smaller brush' },
  { group: 'Painting', keys: ']', does: 'Larger brush' },
  { group: 'Painting', keys: 'b', does: 'Brush' },
  { group: 'Painting', keys: 'e', does: 'Eraser' },
  { group: 'Painting', keys: 'i', does: 'Invert what is painted' },
  { group: 'Painting', keys: 'mod+z', does: 'Undo' },
  { group: 'Painting', keys: 'mod+Shift+z', does: 'Redo' },
  { group: 'Library', keys: 'ArrowLeft+ArrowRight+ArrowUp+ArrowDown', does: 'Go from picture to picture' },
  { group: 'Library', keys: 'Shift+ArrowRight', does: 'Select on the way' },
  { group: 'Library', keys: 'mod+a', does: 'Select everything that is shown' },
  { group: 'Library', keys: 'Escape', does: 'Select nothing' },
  { group: 'Library', keys: ' ', does: 'Select the picture in focus' },
  { group: 'Picture', keys: 'ArrowLeft', does: 'Go to the newer picture' },
  { group: 'Picture', keys: 'ArrowRight', does: 'Go to the older picture' },
  { group: 'Picture', keys: 'a', does: 'Use everything again, the seed too' },
  { group: 'Picture', keys: 'r', does: 'Use everything again but the seed' },
  { group: 'Picture', keys: 'p', does: 'Use the prompt again' },
  { group: 'Picture', keys: 's', does: 'Use the seed again' },
  { group: 'Picture', keys: 'd', does: 'Use the size again' },
  { group: 'Picture', keys: '.', does: 'Star' },
  { group: 'Picture', keys: 'v', does: 'Verify: make it exactly and compare' },
  { group: 'Picture', keys: 'Delete', does: 'Delete, with a way back' },
] as const satisfies { group: string; keys: string; does: string }[];

export type ShortcutKeys = (typeof shortcuts)[number]['keys'];

/** The name of a key press in the spelling of {@link shortcuts}. Shift is left out where it only makes the character. */
export function keysOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'code'>,
): string {
  // On a Mac, Alt turns letters into other characters: the position on the keyboard says which it was.
  const letter = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
  const isLetter = /^\p{L}$/u.test(letter);
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push('mod');
  if (event.altKey) parts.push('Alt');
  if (event.shiftKey && (isLetter || letter.length > 1)) parts.push('Shift');
  parts.push(isLetter ? letter.toLowerCase() : letter);
  return parts.join('+');
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true;
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
  );
}

/**
 * Listens on the whole page while the component is there. Keys without Ctrl, Cmd or Alt are left to text fields,
 * and everything is left to an open dialog.
 */
export function useHotkeys(
  actions: Partial<Record<ShortcutKeys, () => void>>,
  /** Leaves Ctrl, Cmd and Alt to text fields too. */
  { exceptTyping = false }: { exceptTyping?: boolean } = {},
): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const action = actions[keysOf(event) as ShortcutKeys];
    if (action === undefined) return;
    const withModifier = event.ctrlKey || event.metaKey || event.altKey;
    if (isTyping(event.target) && (exceptTyping || !withModifier)) return;
    if (document.querySelector('[role="dialog"], [role="alertdialog"]') !== null) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}

const arrows = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' };

/** "mod+Enter" -> ["⌘", "↵"] on a Mac, ["Ctrl", "Enter"] elsewhere. */
export function keyCaps(keys: string, isMac: boolean): string[] {
  const names: Record<string, string> = isMac
    ? { mod: '⌘', Alt: '⌥', Shift: '⇧', Enter: '↵', Delete: '⌫', ...arrows }
    : { mod: 'Ctrl', ...arrows };
  return keys
    .split('+')
    .map(
      (key) =>
        names[key] ?? (key === ' ' ? 'Space' : undefined) ?? (key.length === 1 ? key.toUpperCase() : key),
    );
}
