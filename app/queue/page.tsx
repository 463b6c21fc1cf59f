import { HydrationBoundary } from '@tanstack/react-query';
import type { Metadata } from 'next';
import { preload, preloads } from '../_lib/preload.ts';
import { QueuePage } from './_parts/queue-page.tsx';

export const metadata: Metadata = { title: 'Queue' };

export default async function Page() {
  return (
    <HydrationBoundary state={await preload(preloads.queue, preloads.history)}>
      <QueuePage />
    </HydrationBoundary>
  );
}
