'use client';
import { useQuery } from '@tanstack/react-query';
import { differencePicture, gainFor, measure, type Difference } from './measure.ts';

export interface Measured extends Difference {
  /** data: URL of where they differ, `gain` times as strong */
  picture: string;
  gain: number;
}

async function pixelsOf(url: string): Promise<ImageData> {
  const response = await fetch(url);
  const bitmap = await createImageBitmap(await response.blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser cannot draw on a canvas');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

async function compare(urlA: string, urlB: string): Promise<Measured | null> {
  const [a, b] = await Promise.all([pixelsOf(urlA), pixelsOf(urlB)]);
  if (a.width !== b.width || a.height !== b.height) return null;
  const canvas = document.createElement('canvas');
  canvas.width = a.width;
  canvas.height = a.height;
  const difference = measure(a.data, b.data);
  const gain = gainFor(difference.max);
  const pixels = differencePicture(a.data, b.data, gain);
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, a.width, a.height), 0, 0);
  return { ...difference, gain, picture: canvas.toDataURL('image/png') };
}

/** Null where the two have different sizes and cannot be compared pixel by pixel. */
export function useDifference(urlA: string | undefined, urlB: string | undefined) {
  return useQuery({
    queryKey: ['difference', urlA, urlB],
    queryFn: () => compare(urlA ?? '', urlB ?? ''),
    enabled: urlA !== undefined && urlB !== undefined,
    staleTime: Infinity,
    retry: false,
  });
}
