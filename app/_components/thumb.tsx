'use client';
import { CircleAlert, CircleSlash, Hourglass, Play } from 'lucide-react';
import type { Asset, Generation } from '../../lib/contracts/generation.ts';
import { formatDuration } from '../_lib/format.ts';
import { useLive } from '../_lib/live.ts';
import { isActive } from '../_lib/states.ts';
import { useReducedMotion } from '../_lib/use-reduced-motion.ts';
import { isVideo } from './result.tsx';
import styles from './thumb.module.css';

/** Twice the largest square it is shown in, for dense screens. */
const SIDE = 512;

function thumbnailOf(asset: Asset | undefined): string | undefined {
  return asset && `/api/v1/assets/${asset.id}/thumbnail?side=${SIDE}`;
}

interface ThumbProps {
  generation: Generation;
  /** The pointer or the focus is on it: a video plays. */
  isLookedAt?: boolean;
}

/** A generation as a small square: its first picture, its preview while it is made, or the sign of what became of it. */
export function Thumb({ generation, isLookedAt = false }: ThumbProps) {
  const live = useLive(generation.id);
  const { status, assets } = generation;
  const first = assets[0];
  const source = thumbnailOf(first) ?? (isActive(status) ? live?.preview : undefined);
  const progress = live?.progress ?? generation.progress;
  return (
    <span className={styles.thumb}>
      {source != null ? (
        <img src={source} alt="" loading="lazy" decoding="async" className={styles.image} />
      ) : (
        <span className={styles.sign} data-status={status}>
          {status === 'failed' ? <CircleAlert /> : status === 'cancelled' ? <CircleSlash /> : <Hourglass />}
        </span>
      )}
      {first !== undefined && isVideo(first) ? (
        <Moving asset={first} isPlaying={isLookedAt} />
      ) : (
        assets.length > 1 && <span className={`film ${styles.count}`} data-text={assets.length} />
      )}
      {(status === 'running' || status === 'cancelling') && (
        <span className={styles.bar}>
          <span style={{ transform: `scaleX(${progress})` }} />
        </span>
      )}
    </span>
  );
}

/** How long a video is, and over its poster the video itself while it is looked at. */
function Moving({ asset, isPlaying }: { asset: Asset; isPlaying: boolean }) {
  const isStill = useReducedMotion();
  const plays = isPlaying && !isStill;
  return (
    <>
      {plays &&
        (asset.type.startsWith('video/') ? (
          <video src={asset.url} className={styles.moving} autoPlay loop muted playsInline aria-hidden />
        ) : (
          <img src={asset.url} alt="" className={styles.moving} />
        ))}
      <span className={`film ${styles.count}`} data-text={formatDuration(asset.durationSeconds ?? 0)}>
        <Play aria-hidden />
      </span>
    </>
  );
}
