'use client';
import { useQuery } from '@tanstack/react-query';
import { loadImage, pictureUrl } from '../pictures.ts';
import { brightnessToOpacity } from './render.ts';

export async function loadBase(id: string): Promise<HTMLCanvasElement> {
  return brightnessToOpacity(await loadImage(pictureUrl(id)));
}

/** The picture that lies under what was painted, as opacity; null until it is there, and where it is gone. */
export function useBase(id: string | undefined): HTMLCanvasElement | null {
  const { data } = useQuery({
    queryKey: ['sketch-base', id],
    queryFn: () => loadBase(id ?? ''),
    enabled: id !== undefined,
    staleTime: Infinity,
    retry: false,
  });
  return data ?? null;
}
