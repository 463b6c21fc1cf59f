'use client';
import { createStore, useStore } from './store.ts';

/** What the table is used for besides looking at pictures: painting a mask, adding borders, or drawing a reference. */
export type Desk = { kind: 'mask' } | { kind: 'borders' } | { kind: 'drawing'; key: string };

export const deskStore = createStore<Desk | null>(null);

export function useDesk(): Desk | null {
  return useStore(deskStore, (desk) => desk, null);
}

export const clearDesk = (): void => deskStore.set(null);
