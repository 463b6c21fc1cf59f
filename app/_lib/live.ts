'use client';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { GenerationList, Outline } from '../../lib/contracts/api.ts';
import { eventSchema, type StudioEvent } from '../../lib/contracts/events.ts';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { Installation, InstallationList } from '../../lib/contracts/models.ts';
import { announceDone } from './done-notice.ts';
import { without, withGeneration } from './outline.ts';
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

/** Puts a generation's newest state wherever the page already holds it, and a new one at the top of the history. */
export function placeGeneration(client: QueryClient, generation: Generation): void {
  client.setQueryData(['generation', generation.id], generation);
  client.setQueryData<Pages>(['generations'], (data) => {
    const first = data?.pages[0];
    if (data === undefined || first === undefined) return data;
    const isThere = data.pages.some((page) => page.items.some((item) => item.id === generation.id));
    if (isThere) {
      const pages = data.pages.map((page) => ({
        ...page,
        items: page.items.map((item) => (item.id === generation.id ? generation : item)),
      }));
      return { ...data, pages };
    }
    const newest = first.items[0];
    if (newest !== undefined && generation.createdAt < newest.createdAt) return data;
    return { ...data, pages: [{ ...first, items: [generation, ...first.items] }, ...data.pages.slice(1)] };
  });
  for (const [key, outline] of client.getQueriesData<Outline>({ queryKey: ['outline'] })) {
    if (outline === undefined) continue;
    if (isWhole(key[1])) client.setQueryData(key, withGeneration(outline, generation));
    else refreshFiltered(client);
  }
}

/** Whether an outline is that of the whole history. `preloaded` is the beginning of it. */
function isWhole(query: unknown): boolean {
  return (
    query === 'preloaded' || (typeof query === 'object' && query !== null && Object.keys(query).length === 0)
  );
}

const REFRESH_MS = 1500;
let refresh: ReturnType<typeof setTimeout> | undefined;

/** Whether a filter still lets something pass is the server's to say; it is asked once for many changes. */
function refreshFiltered(client: QueryClient): void {
  refresh ??= setTimeout(() => {
    refresh = undefined;
    void client.invalidateQueries({
      predicate: ({ queryKey: [name, query] }) => name === 'outline' && !isWhole(query),
    });
  }, REFRESH_MS);
}

/** Takes generations out of every list at once, before or after the server says that they are gone. */
export function dropGenerations(client: QueryClient, ids: readonly string[]): void {
  const gone = new Set(ids);
  client.setQueryData<Pages>(
    ['generations'],
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({
          ...page,
          items: page.items.filter((item) => !gone.has(item.id)),
        })),
      },
  );
  client.setQueriesData<Outline>({ queryKey: ['outline'] }, (outline) => outline && without(outline, gone));
}

const GATHER_MS = 100;
let deleted: string[] = [];

/** Deleting many comes as many events. */
function dropSoon(client: QueryClient, id: string): void {
  if (deleted.length === 0) {
    setTimeout(() => {
      dropGenerations(client, deleted);
      deleted = [];
    }, GATHER_MS);
  }
  deleted.push(id);
}

/** Something that is on its way from a hub; when it has come, there is one more model. */
export function placeInstallation(client: QueryClient, installation: Installation, removed = false): void {
  client.setQueryData<InstallationList>(['installs'], (list) => {
    if (list === undefined) return list;
    const isThere = list.items.some(({ id }) => id === installation.id);
    const items = isThere
      ? list.items.map((item) => (item.id === installation.id ? installation : item))
      : [installation, ...list.items];
    return { ...list, items: removed ? items.filter(({ id }) => id !== installation.id) : items };
  });
  if (installation.status === 'succeeded') {
    void client.invalidateQueries({ queryKey: ['models'] });
    void client.invalidateQueries({ queryKey: ['installs'] });
  }
}

function apply(client: QueryClient, event: StudioEvent): void {
  switch (event.type) {
    case 'status':
      eventClock += 1;
      lastEvent.set(event.generationId, eventClock);
      placeGeneration(client, event.generation);
      announceDone(event.generation);
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
    case 'install':
      placeInstallation(client, event.installation, event.removed);
      return;
    case 'deleted':
      dropSoon(client, event.generationId);
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
    for (const type of ['status', 'progress', 'preview', 'deleted', 'install'] as const) {
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
