import { HydrationBoundary } from '@tanstack/react-query';
import type { Metadata } from 'next';
import { preload, preloads } from '../_lib/preload.ts';
import { ModelsPage } from './_parts/models-page.tsx';

export const metadata: Metadata = { title: 'Models' };

export default async function Page() {
  return (
    <HydrationBoundary state={await preload(preloads.installed, preloads.installs)}>
      <ModelsPage />
    </HydrationBoundary>
  );
}
