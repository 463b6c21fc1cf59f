import { HydrationBoundary } from '@tanstack/react-query';
import type { Metadata } from 'next';
import { getStudio } from '../../lib/studio/services/index.ts';
import { preload, preloads } from '../_lib/preload.ts';
import { SettingsPage } from './_parts/settings-page.tsx';

export const metadata: Metadata = { title: 'Settings' };

export default async function Page() {
  return (
    <HydrationBoundary state={await preload(preloads.settings, preloads.models, preloads.installs)}>
      <SettingsPage needsToken={getStudio().env.token !== undefined} />
    </HydrationBoundary>
  );
}
