'use client';
import type { Generation } from '../../lib/contracts/generation.ts';
import { formatPercent } from '../_lib/format.ts';
import { useLive } from '../_lib/live.ts';
import { useHold } from '../_lib/queries.ts';
import { sentences } from '../_lib/sentences.ts';
import { describe, isActive } from '../_lib/states.ts';
import { Breakable } from './breakable.tsx';
import { Picture } from './picture.tsx';
import styles from './making.module.css';

/** In the place of a picture that is not there: its preview while it is made, else what became of it. */
export function Making({ generation }: { generation: Generation }) {
  const live = useLive(generation.id);
  const { status, params, error } = generation;
  const { headline, detail, progress } = describe(generation, live, useHold());
  const preview = isActive(status) ? live?.preview : undefined;
  const words = status === 'failed' ? sentences(error?.detail, error?.remedy) : detail;
  if (preview != null) {
    return (
      <Picture preview src={preview} alt="The picture so far" width={params.width} height={params.height} />
    );
  }
  return (
    <div className={styles.words}>
      <p className={styles.headline}>
        {headline} {status === 'running' && progress !== null && formatPercent(progress)}
      </p>
      {words !== null && (
        <p>
          <Breakable>{words}</Breakable>
        </p>
      )}
    </div>
  );
}
