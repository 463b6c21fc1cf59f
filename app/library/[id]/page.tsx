import type { Metadata } from 'next';
import { HydrationBoundary } from '@tanstack/react-query';
import { preload, preloads } from '../../_lib/preload.ts';
import { DetailPage } from '../_parts/detail-page.tsx';

export const metadata: Metadata = { title: 'Picture' };

interface PageProps {
  params: Promise<{ id: string }>;
  searchParams: Promise<{ picture?: string | string[] }>;
}

export default async function Page({ params, searchParams }: PageProps) {
  const { id } = await params;
  const { picture } = await searchParams;
  const number = Number(picture);
  return (
    <HydrationBoundary state={await preload(preloads.generation(id), preloads.models, preloads.boards)}>
      <DetailPage id={id} initialPicture={Number.isInteger(number) && number > 0 ? number - 1 : 0} />
    </HydrationBoundary>
  );
}
