import { dehydrate, QueryClient, type DehydratedState } from '@tanstack/react-query';
import { headers } from 'next/headers';
import { EncoreError } from '../../lib/contracts/errors.ts';
import {
  getGeneration,
  getQueue,
  getSettings,
  getStudio,
  listBoards,
  listGenerations,
  listInstalls,
  listModels,
  type Studio,
} from '../../lib/studio/services/index.ts';
import { checkOrigin, checkToken } from '../api/_server/access.ts';
import { outlineOf } from './outline.ts';
import { PAGE_SIZE } from './page-size.ts';

type Load = (studio: Studio, client: QueryClient) => Promise<void>;

export const preloads = {
  models: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['models'], { items: await listModels(studio, 'model') });
  },
  installed: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['models', 'all'], { items: await listModels(studio, 'all') });
  },
  installs: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['installs'], await listInstalls(studio));
  },
  queue: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['queue'], await getQueue(studio));
  },
  boards: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['boards'], { items: await listBoards(studio) });
  },
  settings: async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['settings'], await getSettings(studio));
  },
  /** The newest page, as the Create page shows it. */
  history: async (studio: Studio, client: QueryClient) => {
    const page = await listGenerations(studio, { limit: PAGE_SIZE });
    client.setQueryData(['generations'], { pages: [page], pageParams: [undefined] });
  },
  /** The newest page, as the library shows it until it knows of all others. */
  library: async (studio: Studio, client: QueryClient) => {
    const { items } = await listGenerations(studio, { limit: PAGE_SIZE });
    for (const item of items) client.setQueryData(['generation', item.id], item);
    client.setQueryData(['outline', 'preloaded'], outlineOf(items));
  },
  generation: (id: string) => async (studio: Studio, client: QueryClient) => {
    client.setQueryData(['generation', id], await getGeneration(studio, id));
  },
} satisfies Record<string, Load | ((id: string) => Load)>;

/**
 * What a page shows first, put into its HTML, so that it is complete when it arrives. Where the visitor may not see it,
 * or it cannot be read, the page is sent without and asks by itself: it knows how to show a refusal.
 */
export async function preload(...loads: Load[]): Promise<DehydratedState | undefined> {
  const requestHeaders = await headers();
  try {
    const studio = getStudio();
    checkOrigin(requestHeaders, 'GET', studio.env);
    checkToken(requestHeaders, studio.env);
    const client = new QueryClient();
    await Promise.all(loads.map((load) => load(studio, client)));
    return dehydrate(client);
  } catch (error) {
    if (error instanceof EncoreError) return undefined;
    throw error;
  }
}
