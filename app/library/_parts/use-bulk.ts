'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { dropGeneration, placeGeneration } from '../../_lib/live.ts';

const none: ReadonlySet<string> = new Set();

/** Requests under way at once: browsers open six connections to a host, and one carries the events. */
const LANES = 4;

/** Runs a request for each id, a few at a time, and goes on past failures. */
async function forEach(
  ids: readonly string[],
  run: (id: string) => Promise<unknown>,
): Promise<{ failed: number }> {
  const rest = [...ids];
  let failed = 0;
  const lane = async () => {
    for (let id = rest.shift(); id !== undefined; id = rest.shift()) {
      try {
        await run(id);
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { failed };
}

const pictures = (count: number) => `${count} ${count === 1 ? 'picture' : 'pictures'}`;

/** What is selected in the library, and what can be done with all of it at once. */
export function useBulk(items: readonly Generation[]) {
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const [selected, setSelected] = useState(none);
  const [anchor, setAnchor] = useState<string>();

  const restore = useMutation({
    mutationFn: (ids: string[]) => forEach(ids, api.restore),
    onSettled: () => client.invalidateQueries({ queryKey: ['generations'] }),
    onError: notifyError,
  });
  const remove = useMutation({
    mutationFn: (ids: string[]) => forEach(ids, api.remove),
    onMutate: (ids) => ids.forEach((id) => dropGeneration(client, id)),
    onSuccess: ({ failed }, ids) => {
      if (failed > 0) void client.invalidateQueries({ queryKey: ['generations'] });
      notify({
        title: `${pictures(ids.length - failed)} deleted.`,
        description: failed > 0 ? `${pictures(failed)} could not be deleted.` : undefined,
        action: { label: 'Undo', run: () => restore.mutate(ids) },
      });
    },
  });
  const star = useMutation({
    mutationFn: (ids: string[]) =>
      forEach(ids, async (id) => placeGeneration(client, await api.update(id, { starred: true }))),
    onSuccess: ({ failed }, ids) => notify({ title: `${pictures(ids.length - failed)} starred.` }),
  });

  const clear = () => setSelected(none);
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
      const from = items.findIndex((item) => item.id === (anchor ?? id));
      const to = items.findIndex((item) => item.id === id);
      const range = items.slice(Math.min(from, to), Math.max(from, to) + 1);
      setSelected((before) => new Set([...before, ...range.map((item) => item.id)]));
    },
    starSelected() {
      star.mutate([...selected]);
      clear();
    },
    removeSelected() {
      remove.mutate([...selected]);
      clear();
    },
  };
}
