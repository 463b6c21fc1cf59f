import type { Metadata } from 'next';
import { HydrationBoundary } from '@tanstack/react-query';
import { preload, preloads } from '../_lib/preload.ts';
import { LibraryPage } from './_parts/library-page.tsx';

export const metadata: Metadata = { title: 'Library' };

export default async function Page() {
  return (
    <HydrationBoundary state={await preload(preloads.models, preloads.library, preloads.boards)}>
      <LibraryPage />
    </HydrationBoundary>
  );
}
