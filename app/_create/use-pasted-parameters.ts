'use client';
import { useEffect, useEffectEvent, type RefObject } from 'react';
import { api } from '../_lib/api.ts';
import { looksLikeParameters } from '../_lib/pasted-text.ts';
import { useReadPicture } from './use-read-picture.ts';

/** Text that says how a picture was made, pasted into the prompt, fills the fields of the page. */
export function usePastedParameters(field: RefObject<HTMLTextAreaElement | null>): void {
  const read = useReadPicture();
  const take = useEffectEvent(async (text: string, textarea: HTMLTextAreaElement) => {
    const info = await api.readMetadata(new Blob([text])).catch(() => null);
    if (info?.source != null) return read(info, 'text');
    // Words after all.
    textarea.setRangeText(text, textarea.selectionStart, textarea.selectionEnd, 'end');
    textarea.dispatchEvent(new Event('input', { bubbles: true }));
  });
  useEffect(() => {
    const textarea = field.current;
    if (textarea === null) return;
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (!looksLikeParameters(text)) return;
      event.preventDefault();
      void take(text, textarea);
    };
    textarea.addEventListener('paste', onPaste);
    return () => textarea.removeEventListener('paste', onPaste);
  }, [field]);
}
