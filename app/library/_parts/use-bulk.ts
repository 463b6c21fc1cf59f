'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Bulk } from '../../../lib/contracts/studio.ts';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { dropGenerations } from '../../_lib/live.ts';
import { refreshHistory } from '../../_lib/queries.ts';

const none: ReadonlySet<string> = new Set();

/** What one request may name. */
const AT_ONCE = 1000;

const pictures = (count: number) => `${count} ${count === 1 ? 'picture' : 'pictures'}`;

const done: Record<Bulk['action'], string> = {
  delete: 'deleted',
  restore: 'restored',
  star: 'starred',
  unstar: 'no longer starred',
  move: 'moved',
};

/** What takes an action back; a move forgets where its pictures were. */
const inverse: Partial<Record<Bulk['action'], 'restore' | 'star' | 'unstar'>> = {
  delete: 'restore',
  star: 'unstar',
  unstar: 'star',
};

/** What is selected in the library, and what can be done with all of it at once. */
export function useBulk(all: readonly string[]) {
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const [selected, setSelected] = useState(none);
  const [anchor, setAnchor] = useState<string>();

  const change = useMutation({
    async mutationFn(bulk: Bulk) {
      const changed: string[] = [];
      for (let at = 0; at < bulk.ids.length; at += AT_ONCE) {
        const answer = await api.bulk({ ...bulk, ids: bulk.ids.slice(at, at + AT_ONCE) });
        changed.push(...answer.changed);
      }
      return changed;
    },
    onMutate(bulk) {
      if (bulk.action === 'delete') dropGenerations(client, bulk.ids);
    },
    onSuccess(changed, { action }) {
      const back = inverse[action];
      notify({
        title: `${pictures(changed.length)} ${done[action]}.`,
        action:
          back === undefined
            ? undefined
            : { label: 'Undo', run: () => change.mutate({ action: back, ids: changed }) },
      });
    },
    onError: notifyError,
    onSettled: () => refreshHistory(client),
  });

  const clear = () => setSelected(none);
  const apply = (bulk: Bulk) => {
    change.mutate(bulk);
    clear();
  };
  const ids = [...selected];
  return {
    selected,
    clear,
    toggle(id: string) {
      setAnchor(id);
      setSelected((before) => {
        const after = new Set(before);
        if (!after.delete(id)) after.add(id);
        return after;
      });
    },
    /** Everything from the picture selected last to this one, as Shift does everywhere. */
    selectTo(id: string) {
      const to = all.indexOf(id);
      const anchored = anchor === undefined ? -1 : all.indexOf(anchor);
      const from = anchored === -1 ? to : anchored;
      const range = all.slice(Math.min(from, to), Math.max(from, to) + 1);
      setSelected((before) => new Set([...before, ...range]));
    },
    selectAll: () => setSelected(new Set(all)),
    star: (on: boolean) => apply({ action: on ? 'star' : 'unstar', ids }),
    remove: () => apply({ action: 'delete', ids }),
    move: (boardId: string | null) => apply({ action: 'move', ids, boardId }),
  };
}

export type BulkActions = ReturnType<typeof useBulk>;
