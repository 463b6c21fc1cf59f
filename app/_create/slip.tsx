'use client';
import type { Generation } from '../../lib/contracts/generation.ts';
import { PictureActions } from '../_components/picture-actions.tsx';
import { Receipt } from '../_components/receipt.tsx';
import { useNow } from '../_lib/use-now.ts';
import { formatWhen } from '../_lib/format.ts';
import styles from './slip.module.css';

/** What lies on the table, as the slip that comes with a print. */
export function Slip({ generation }: { generation: Generation }) {
  const now = useNow();
  const { params } = generation;
  return (
    <div className={styles.slip}>
      <p className={styles.prompt}>{params.prompt}</p>
      {params.negativePrompt !== '' && <p className={styles.negative}>without {params.negativePrompt}</p>}
      <PictureActions generation={generation} />
      <Receipt generation={generation} />
      {now !== null && <p className={`film ${styles.when}`}>{formatWhen(generation.createdAt, now)}</p>}
    </div>
  );
}
