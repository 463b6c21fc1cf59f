import type { Metadata } from 'next';
import { HydrationBoundary } from '@tanstack/react-query';
import { CreatePage } from './_create/create-page.tsx';
import { preload, preloads } from './_lib/preload.ts';

export const metadata: Metadata = { title: { absolute: 'Encore' } };

export default async function Page() {
  return (
    <HydrationBoundary state={await preload(preloads.models, preloads.history, preloads.queue)}>
      <CreatePage />
    </HydrationBoundary>
  );
}
