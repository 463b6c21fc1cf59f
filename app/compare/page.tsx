import { HydrationBoundary } from '@tanstack/react-query';
import type { Metadata } from 'next';
import { preload, preloads } from '../_lib/preload.ts';
import { ComparePage } from './_parts/compare-page.tsx';

export const metadata: Metadata = { title: 'Compare' };

interface PageProps {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function Page({ searchParams }: PageProps) {
  const { a, b } = await searchParams;
  const ids = [a, b].map((id) => (typeof id === 'string' ? id : ''));
  const [first = '', second = ''] = ids;
  return (
    <HydrationBoundary state={await preload(preloads.generation(first), preloads.generation(second))}>
      <ComparePage ids={[first, second]} />
    </HydrationBoundary>
  );
}
