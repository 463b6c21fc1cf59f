'use client';
import { useEffect } from 'react';
import { ApiError } from '../_lib/api.ts';
import { useLive } from '../_lib/live.ts';
import { useGeneration, useGenerations, useHold, useQueue } from '../_lib/queries.ts';
import { onTheTable, selectionStore, useSelection } from '../_lib/selection.ts';
import { tabTitle } from '../_lib/states.ts';

/**
 * What the page is about: what is being made while that is followed, else what was chosen or seen last. The title of the
 * tab says how far it is.
 */
export function useCurrent() {
  const history = useGenerations();
  const { data: queue } = useQueue();
  const selection = useSelection();
  const currentId = onTheTable(selection, queue?.running ?? [], queue?.queued ?? [], history.items[0]?.id);
  const { data: generation, error } = useGeneration(currentId);
  const live = useLive(currentId);
  const hold = useHold();

  // What was followed to its end stays on the table.
  useEffect(() => {
    if (selection.follow && currentId !== undefined && selection.id !== currentId) {
      selectionStore.set({ follow: true, id: currentId });
    }
  }, [selection, currentId]);

  // A remembered picture may have been deleted elsewhere.
  useEffect(() => {
    if (error instanceof ApiError && error.problem.status === 404) {
      selectionStore.set({ follow: true, id: null });
    }
  }, [error]);

  useEffect(() => {
    document.title = tabTitle(generation, live, hold);
  }, [generation, live, hold]);

  return { history, currentId, generation, live, hold };
}
