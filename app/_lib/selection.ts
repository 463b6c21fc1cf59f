'use client';
import { z } from 'zod';
import type { Generation } from '../../lib/contracts/generation.ts';
import { createPersistentStore, useStore } from './store.ts';

const selectionSchema = z.object({
  /** The picture on the table; null before the first. */
  id: z.string().nullable(),
  /** Whether the table shows whatever is being made, or stays with what was picked. */
  follow: z.boolean(),
});
export type Selection = z.infer<typeof selectionSchema>;

const initial: Selection = { id: null, follow: true };

export const selectionStore = createPersistentStore<Selection>('encore.table', initial, (raw) =>
  selectionSchema.parse(raw),
);

export function useSelection(): Selection {
  return useStore(selectionStore, (selection) => selection, initial);
}

/**
 * Which generation lies on the table. While following, that is the one being made, else the next to be made, and when
 * all are done the one seen last; so several requests in a row are watched one after the other.
 */
export function onTheTable(
  selection: Selection,
  running: readonly Pick<Generation, 'id'>[],
  queued: readonly Pick<Generation, 'id'>[],
  newest: string | undefined,
): string | undefined {
  if (selection.follow) {
    const active = running[0] ?? queued[0];
    if (active !== undefined) return active.id;
  }
  return selection.id ?? newest;
}
