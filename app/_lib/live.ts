'use client';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { GenerationList } from '../../lib/contracts/api.ts';
import { eventSchema, type StudioEvent } from '../../lib/contracts/events.ts';
import type { Generation } from '../../lib/contracts/generation.ts';
import { createStore, useStore } from './store.ts';

export type Stage = Extract<StudioEvent, { type: 'progress' }>['stage'];

/** What is known of a running generation beyond its row. */
export interface Live {
  progress: number;
  step: number;
  steps: number;
  etaSeconds: number | null;
  stage: Stage;
  /** data: URL of the newest preview */
  preview: string | null;
}

interface LiveState {
  connection: 'connecting' | 'open' | 'lost';
  byId: Readonly<Record<string, Live>>;
}

const nothing: LiveState = { connection: 'connecting', byId: {} };
const live = createStore<LiveState>(nothing);

export function useLive(id: string | undefined): Live | undefined {
  return useStore(live, (state) => (id === undefined ? undefined : state.byId[id]), undefined);
}

export function useConnection(): LiveState['connection'] {
  return useStore(live, (state) => state.connection, 'connecting');
}

const starting: Live = { progress: 0, step: 0, steps: 0, etaSeconds: null, stage: 'load', preview: null };

function patchLive(id: string, change: Partial<Live>): void {
  live.set((state) => ({
    ...state,
    byId: { ...state.byId, [id]: { ...(state.byId[id] ?? starting), ...change } },
  }));
}

function forget(id: string): void {
  live.set((state) => {
    if (!(id in state.byId)) return state;
    return { ...state, byId: Object.fromEntries(Object.entries(state.byId).filter(([key]) => key !== id)) };
  });
}

/** Counts status events; `lastEvent` says which was a generation's latest. */
let eventClock = 0;
const lastEvent = new Map<string, number>();

/**
 * Asks for generations so that the answer never takes the page back in time: where an event about one of them came
 * in between, the event's state stays.
 */
export async function askFor<Answer>(
  client: QueryClient,
  ask: () => Promise<Answer>,
  update: (answer: Answer, newer: (generation: Generation) => Generation) => Answer,
): Promise<Answer> {
  const asked = eventClock;
  return update(await ask(), (generation) =>
    (lastEvent.get(generation.id) ?? 0) > asked
      ? (client.getQueryData<Generation>(['generation', generation.id]) ?? generation)
      : generation,
  );
}

/** {@link askFor} where the answer is one generation. */
export function askForOne(client: QueryClient, ask: () => Promise<Generation>): Promise<Generation> {
  return askFor(client, ask, (generation, newer) => newer(generation));
}

type Pages = InfiniteData<GenerationList, string | undefined>;

/** Puts a generation's newest state wherever the page already holds it, and at the top of the unfiltered history. */
export function placeGeneration(client: QueryClient, generation: Generation): void {
  client.setQueryData(['generation', generation.id], generation);
  for (const [key, data] of client.getQueriesData<Pages>({ queryKey: ['generations'] })) {
    if (data === undefined) continue;
    let found = false;
    const pages = data.pages.map((page) => {
      if (!page.items.some((item) => item.id === generation.id)) return page;
      found = true;
      return { ...page, items: page.items.map((item) => (item.id === generation.id ? generation : item)) };
    });
    const first = pages[0];
    const newest = first?.items[0];
    const isNew = newest === undefined || generation.createdAt >= newest.createdAt;
    if (!found && first !== undefined && isNew && isUnfiltered(key[1])) {
      pages[0] = { ...first, items: [generation, ...first.items] };
      found = true;
    }
    if (found) client.setQueryData(key, { ...data, pages });
  }
}

function isUnfiltered(filter: unknown): boolean {
  return typeof filter === 'object' && filter !== null && Object.keys(filter).length === 0;
}

/** Takes a generation out of every list at once, before or after the server says that it is gone. */
export function dropGeneration(client: QueryClient, id: string): void {
  for (const [key, data] of client.getQueriesData<Pages>({ queryKey: ['generations'] })) {
    if (data === undefined) continue;
    const pages = data.pages.map((page) => ({ ...page, items: page.items.filter((item) => item.id !== id) }));
    client.setQueryData(key, { ...data, pages });
  }
}

function apply(client: QueryClient, event: StudioEvent): void {
  switch (event.type) {
    case 'status':
      eventClock += 1;
      lastEvent.set(event.generationId, eventClock);
      placeGeneration(client, event.generation);
      if (event.generation.status !== 'running' && event.generation.status !== 'cancelling')
        forget(event.generationId);
      void client.invalidateQueries({ queryKey: ['queue'] });
      return;
    case 'progress':
      patchLive(event.generationId, {
        progress: event.progress,
        step: event.step,
        steps: event.steps,
        etaSeconds: event.etaSeconds,
        stage: event.stage,
      });
      return;
    case 'preview':
      patchLive(event.generationId, { preview: event.image });
      return;
    case 'deleted':
      dropGeneration(client, event.generationId);
      forget(event.generationId);
  }
}

/** Follows the studio until the returned function is called. The browser reconnects and asks for what it missed. */
export function followEvents(client: QueryClient): () => void {
  let source: EventSource | undefined;
  let reopen: ReturnType<typeof setTimeout> | undefined;

  const open = () => {
    source = new EventSource('/api/v1/events');
    source.addEventListener('open', () => {
      live.set((state) => ({ ...state, connection: 'open' }));
      // Whatever changed between the last answer and this moment.
      void client.invalidateQueries();
    });
    source.addEventListener('error', () => {
      live.set((state) => ({ ...state, connection: 'lost' }));
      // A refused stream is closed for good by the browser (a restarting server answers so): ask again ourselves.
      if (source?.readyState === EventSource.CLOSED) reopen = setTimeout(open, 2000);
    });
    for (const type of ['status', 'progress', 'preview', 'deleted'] as const) {
      source.addEventListener(type, (message: MessageEvent<string>) => {
        const event = eventSchema.safeParse(JSON.parse(message.data));
        if (event.success) apply(client, event.data);
      });
    }
  };
  open();
  return () => {
    clearTimeout(reopen);
    source?.close();
  };
}
