'use client';
import { focusGenerate } from './focus-generate.ts';
import { createStore, useStore } from './store.ts';

/** What the table is used for besides looking at pictures: painting a mask, adding borders, or drawing a reference. */
export type Desk = { kind: 'mask' } | { kind: 'borders' } | { kind: 'drawing'; key: string };

export const deskStore = createStore<Desk | null>(null);

export function useDesk(): Desk | null {
  return useStore(deskStore, (desk) => desk, null);
}

export const clearDesk = (): void => deskStore.set(null);

/** What was painted is kept, and what comes next is to make something of it. */
export function leaveDesk(): void {
  clearDesk();
  focusGenerate();
}

/** The table that goes with what is to be done with a picture: what must be painted or pulled can be at once. */
export function openDeskFor(step: string): void {
  if (step === 'paint') deskStore.set({ kind: 'mask' });
  else if (step === 'extend') deskStore.set({ kind: 'borders' });
  else clearDesk();
}
