'use client';
import type { Generation } from '../../lib/contracts/generation.ts';
import { useNotify } from './toaster.tsx';

/** Puts everything that is known of a generation on the clipboard, for a report of what went wrong. */
export function useCopyDetails(): (generation: Generation) => void {
  const { notify } = useNotify();
  return (generation) =>
    void navigator.clipboard.writeText(JSON.stringify(generation, null, 2)).then(
      () => notify({ title: 'The details are on the clipboard.' }),
      () => notify({ title: 'This browser does not let the page copy.' }),
    );
}
