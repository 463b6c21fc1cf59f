'use client';
import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Health, Outline, Queue } from '../../lib/contracts/api.ts';
import type { Generation, GenerationInput } from '../../lib/contracts/generation.ts';
import type { Board } from '../../lib/contracts/studio.ts';
import type { Adapter, InstallationList, Installed, Model, ModelKind } from '../../lib/contracts/models.ts';
import type { Preset } from '../../lib/contracts/presets.ts';
import { api } from './api.ts';
import { loadGeneration } from './batch.ts';
import { toQuery, type LibraryFilter } from './library-filter.ts';
import { PAGE_SIZE } from './page-size.ts';
import { askFor, askForOne, dropGenerations, placeGeneration, useConnection } from './live.ts';
import { holdOf, type Hold } from './states.ts';
import { useNow } from './use-now.ts';

export function useGeneration(id: string | undefined): UseQueryResult<Generation> {
  const client = useQueryClient();
  return useQuery({
    queryKey: ['generation', id],
    queryFn: ({ signal }) => askForOne(client, () => api.generation(id ?? '', signal)),
    enabled: id !== undefined,
  });
}

/** One of many that are shown at once: asked for together with the others. */
export function useEntry(id: string): UseQueryResult<Generation> {
  const client = useQueryClient();
  return useQuery({
    queryKey: ['generation', id],
    queryFn: ({ signal }) => askForOne(client, () => loadGeneration(id, signal)),
    staleTime: 60_000,
  });
}

/** The newest part of the history. */
export function useGenerations() {
  const client = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: ['generations'],
    queryFn: ({ pageParam, signal }) =>
      askFor(
        client,
        () => api.generations(pageParam, PAGE_SIZE, signal),
        (page, newer) => ({ ...page, items: page.items.map(newer) }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { ...query, items };
}

/** Everything in the history that passes the filter, as ids. Waits for the reader's clock, which says what today is. */
export function useOutline(filter: LibraryFilter) {
  const now = useNow();
  const client = useQueryClient();
  const wanted = now === null ? null : toQuery(filter, now);
  const isWhole = Object.keys(filter).length === 0;
  const query = useQuery<Outline>({
    queryKey: ['outline', wanted],
    queryFn: ({ signal }) => api.outline(wanted ?? {}, signal),
    enabled: wanted !== null,
    staleTime: 30_000,
    // What was shown with the filter before, or what the page came with.
    placeholderData: (before) =>
      before ?? (isWhole ? client.getQueryData<Outline>(['outline', 'preloaded']) : undefined),
  });
  const ids = useMemo(() => query.data?.quarters.flatMap((quarter) => quarter.ids) ?? noIds, [query.data]);
  return { ...query, ids };
}

const noIds: string[] = [];
const noModels: Model[] = [];
const noBoards: Board[] = [];

export function useModels() {
  const query = useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => api.models(signal),
    staleTime: 60_000,
  });
  return { ...query, models: query.data?.items ?? noModels };
}

const nothingInstalled: Installed[] = [];

/** Everything that is installed, of every kind. */
export function useInstalled() {
  const query = useQuery({
    queryKey: ['models', 'all'],
    queryFn: ({ signal }) => api.installed(signal),
    staleTime: 60_000,
  });
  return { ...query, installed: query.data?.items ?? nothingInstalled };
}

/** What is on its way from a hub, and how much room is left for it. */
export function useInstalls(): UseQueryResult<InstallationList> {
  return useQuery({ queryKey: ['installs'], queryFn: ({ signal }) => api.installs(signal) });
}

const noAdapters: Adapter[] = [];
const noPresets: Preset[] = [];

/** ControlNets, LoRAs or embeddings that are installed. */
export function useAdapters(kind: Exclude<ModelKind, 'model'>) {
  const query = useQuery({
    queryKey: ['models', kind],
    queryFn: ({ signal }) => api.adapters(kind, signal),
    staleTime: 60_000,
  });
  return { ...query, adapters: query.data?.items ?? noAdapters };
}

export function usePresets() {
  const query = useQuery({
    queryKey: ['presets'],
    queryFn: ({ signal }) => api.presets(signal),
    staleTime: 60_000,
  });
  return { ...query, presets: query.data?.items ?? noPresets };
}

export function useQueue(): UseQueryResult<Queue> {
  return useQuery({ queryKey: ['queue'], queryFn: ({ signal }) => api.queue(signal) });
}

export function useBoards() {
  const query = useQuery({ queryKey: ['boards'], queryFn: ({ signal }) => api.boards(signal) });
  return { ...query, boards: query.data?.items ?? noBoards };
}

export function useSettings() {
  return useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.settings(signal) });
}

export function useUpdateSettings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: api.updateSettings,
    onSuccess: async (settings) => {
      // What is still on its way was asked for before the change.
      await client.cancelQueries({ queryKey: ['settings'] });
      client.setQueryData(['settings'], settings);
      void client.invalidateQueries({ queryKey: ['queue'] });
    },
  });
}

export function useHealth(): UseQueryResult<Health> {
  return useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => api.health(signal),
    refetchInterval: 10_000,
    retry: false,
  });
}

/** How many requests run or wait. Asks only where the studio lets this browser listen: a page for anyone asks nothing. */
export function useUnderWay(): number {
  const isOpen = useConnection() === 'open';
  const { data } = useQuery({
    queryKey: ['queue'],
    queryFn: ({ signal }) => api.queue(signal),
    enabled: isOpen,
  });
  return data === undefined ? 0 : data.running.length + data.queued.length;
}

/** What keeps everything that waits back. */
export function useHold(): Hold | undefined {
  const { data: queue } = useQueue();
  const { data: health } = useHealth();
  return holdOf(queue, health);
}

/** Pauses the queue, or lets it go on. */
export function usePause() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (paused: boolean) => (paused ? api.pauseQueue() : api.resumeQueue()),
    onSuccess: async (answer) => {
      // What is still on its way was asked for before the change.
      await client.cancelQueries({ queryKey: ['queue'] });
      client.setQueryData(['queue'], answer);
    },
  });
}

export function useGenerate() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: GenerationInput) => askForOne(client, () => api.generate(input)),
    onSuccess: (generation) => placeGeneration(client, generation),
  });
}

/** Asks anew for what is in the history, after a change that no event tells in full. */
export function refreshHistory(client: QueryClient): Promise<unknown> {
  return Promise.all(
    ['generations', 'outline', 'boards'].map((key) => client.invalidateQueries({ queryKey: [key] })),
  );
}

type Verb = 'cancel' | 'retry' | 'restore';

export function useVerb(verb: Verb) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => askForOne(client, () => api[verb](id)),
    onSuccess: (generation) => {
      placeGeneration(client, generation);
      if (verb === 'restore') void refreshHistory(client);
    },
  });
}

export function useStar() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (generation: Generation) => api.update(generation.id, { starred: !generation.starred }),
    onMutate: (generation) => placeGeneration(client, { ...generation, starred: !generation.starred }),
    onSuccess: (generation) => placeGeneration(client, generation),
    onError: (_error, generation) => placeGeneration(client, generation),
  });
}

export function useRemove() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.remove(id),
    onMutate: (id) => dropGenerations(client, [id]),
    onError: () => refreshHistory(client),
  });
}
