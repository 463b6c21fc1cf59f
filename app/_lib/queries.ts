'use client';
import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Health, Queue } from '../../lib/contracts/api.ts';
import type { Generation, GenerationInput } from '../../lib/contracts/generation.ts';
import type { Board } from '../../lib/contracts/studio.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { api, type LibraryFilter } from './api.ts';
import { PAGE_SIZE } from './page-size.ts';
import { askFor, askForOne, dropGeneration, placeGeneration } from './live.ts';

export function useGeneration(id: string | undefined): UseQueryResult<Generation> {
  const client = useQueryClient();
  return useQuery({
    queryKey: ['generation', id],
    queryFn: ({ signal }) => askForOne(client, () => api.generation(id ?? '', signal)),
    enabled: id !== undefined,
  });
}

export function useGenerations(wanted: LibraryFilter = {}) {
  const client = useQueryClient();
  const filter: LibraryFilter = Object.fromEntries(
    Object.entries(wanted).filter(([, value]) => Boolean(value)),
  );
  const query = useInfiniteQuery({
    queryKey: ['generations', filter],
    queryFn: ({ pageParam, signal }) =>
      askFor(
        client,
        () => api.generations(filter, pageParam, PAGE_SIZE, signal),
        (page, newer) => ({ ...page, items: page.items.map(newer) }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { ...query, items };
}

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
    onSuccess: (settings) => {
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

export function useGenerate() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: GenerationInput) => askForOne(client, () => api.generate(input)),
    onSuccess: (generation) => placeGeneration(client, generation),
  });
}

type Verb = 'cancel' | 'retry' | 'restore';

export function useVerb(verb: Verb) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => askForOne(client, () => api[verb](id)),
    onSuccess: (generation) => {
      placeGeneration(client, generation);
      if (verb === 'restore') void client.invalidateQueries({ queryKey: ['generations'] });
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
    onMutate: (id) => dropGeneration(client, id),
    onError: () => client.invalidateQueries({ queryKey: ['generations'] }),
  });
}
