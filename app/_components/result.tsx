'use client';
import { useEffect, useRef, type CSSProperties } from 'react';
import type { Asset } from '../../lib/contracts/generation.ts';
import { useReducedMotion } from '../_lib/use-reduced-motion.ts';
import { Picture } from './picture.tsx';
import styles from './picture.module.css';

/** Whether a result moves. GIF and animated WebP are pictures for the browser, videos for everyone else. */
export function isVideo(asset: Asset): boolean {
  return asset.frames !== null;
}

/** One picture of it: the picture itself, or the frame that stands for a video. */
export function stillOf({ url, frames, posterUrl }: Asset): string {
  return frames === null ? url : (posterUrl ?? url);
}

/** What was made, still or moving, as large as its box allows. */
export function Result({ asset, alt }: { asset: Asset; alt: string }) {
  const { url, type, width, height, posterUrl } = asset;
  const isStill = useReducedMotion();
  if (type.startsWith('video/')) return <Video asset={asset} label={alt} />;
  // A moving picture cannot be stopped: who wants no motion sees one frame of it.
  const src = isStill && isVideo(asset) ? (posterUrl ?? url) : url;
  return <Picture src={src} alt={alt} width={width} height={height} />;
}

function Video({ asset: { url, width, height, posterUrl }, label }: { asset: Asset; label: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const isStill = useReducedMotion();
  useEffect(() => {
    if (isStill) return;
    // A browser that saves power may refuse; the controls are there.
    video.current?.play().catch(() => undefined);
  }, [url, isStill]);
  return (
    <video
      ref={video}
      src={url}
      poster={posterUrl ?? undefined}
      width={width}
      height={height}
      aria-label={label}
      className={styles.picture}
      style={{ '--w': width, '--h': height } as CSSProperties}
      controls
      loop
      muted
      playsInline
      preload="auto"
    />
  );
}
