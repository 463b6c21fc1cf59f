'use client';
import { CircleAlert, CircleSlash, Hourglass } from 'lucide-react';
import type { Asset, Generation } from '../../lib/contracts/generation.ts';
import { useLive } from '../_lib/live.ts';
import { isActive } from '../_lib/states.ts';
import styles from './thumb.module.css';

/** Twice the largest square it is shown in, for dense screens. */
const SIDE = 512;

function thumbnailOf(asset: Asset | undefined): string | undefined {
  return asset && `/api/v1/assets/${asset.id}/thumbnail?side=${SIDE}`;
}

/** A generation as a small square: its first picture, its preview while it is made, or the sign of what became of it. */
export function Thumb({ generation }: { generation: Generation }) {
  const live = useLive(generation.id);
  const { status, assets } = generation;
  const source = thumbnailOf(assets[0]) ?? (isActive(status) ? live?.preview : undefined);
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
      {assets.length > 1 && <span className={`film ${styles.count}`} data-count={assets.length} />}
      {(status === 'running' || status === 'cancelling') && (
        <span className={styles.bar}>
          <span style={{ transform: `scaleX(${progress})` }} />
        </span>
      )}
    </span>
  );
}
