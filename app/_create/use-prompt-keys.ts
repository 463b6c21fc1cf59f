'use client';
import { useEffect, useRef, type RefObject } from 'react';
import { updateDraft } from '../_lib/draft.ts';
import { keysOf } from '../_lib/hotkeys.ts';
import { useGenerations } from '../_lib/queries.ts';
import {
  changeWeight,
  insertWords,
  movePhrase,
  promptsOf,
  walkHistory,
  type Edit,
} from '../_lib/prompt-keys.ts';
import { usePastedParameters } from './use-pasted-parameters.ts';

/**
 * The keys that work in the prompt: weights, phrases and the prompts of the history; and what is pasted into it. Returns
 * what puts words in at the caret.
 */
export function usePromptKeys(field: RefObject<HTMLTextAreaElement | null>): (words: string) => void {
  const { items: history } = useGenerations();
  const place = useRef({ at: -1, unfinished: '' });
  usePastedParameters(field);

  useEffect(() => {
    const textarea = field.current;
    if (textarea === null) return;
    const edit = (change: (before: Edit) => Edit) => apply(textarea, change);
    const walk = (direction: 1 | -1) =>
      edit(({ text }) => {
        const next = walkHistory(promptsOf(history), place.current, text, direction);
        place.current = next;
        return { text: next.prompt, start: next.prompt.length, end: next.prompt.length };
      });
    const actions: Record<string, () => void> = {
      'mod+ArrowUp': () => edit((before) => changeWeight(before, 1)),
      'mod+ArrowDown': () => edit((before) => changeWeight(before, -1)),
      'Alt+ArrowLeft': () => edit((before) => movePhrase(before, -1)),
      'Alt+ArrowRight': () => edit((before) => movePhrase(before, 1)),
      'Alt+ArrowUp': () => walk(1),
      'Alt+ArrowDown': () => walk(-1),
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const action = actions[keysOf(event)];
      if (action === undefined || event.isComposing) return;
      event.preventDefault();
      action();
    };
    textarea.addEventListener('keydown', onKeyDown);
    return () => textarea.removeEventListener('keydown', onKeyDown);
  }, [field, history]);

  return (words) => {
    const textarea = field.current;
    if (textarea === null) return;
    apply(textarea, (before) => insertWords(before, words));
    textarea.focus();
  };
}

function apply(textarea: HTMLTextAreaElement, change: (before: Edit) => Edit): void {
  const before = { text: textarea.value, start: textarea.selectionStart, end: textarea.selectionEnd };
  const { text, start, end } = change(before);
  // The field is the draft's: React writes the same text again, which keeps the selection.
  textarea.value = text;
  textarea.setSelectionRange(start, end);
  updateDraft({ prompt: text });
}
