'use client';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import type { Live } from '../_lib/live.ts';
import type { Hold } from '../_lib/states.ts';
import { Footing } from './footing.tsx';
import { Prints } from './prints.tsx';
import { Welcome } from './welcome.tsx';
import styles from './table.module.css';

interface TableProps {
  generation: Generation | undefined;
  live: Live | undefined;
  /** Nothing was ever made here. */
  isEmpty: boolean;
  model: Model | undefined;
  hold: Hold | undefined;
  /** A sentence was chosen to begin with. */
  onTake: (sentence: string) => void;
}

/** The place where a picture is looked forward to, appears, and is looked at. It never changes its size. */
export function Table({ generation, live, isEmpty, model, hold, onTake }: TableProps) {
  return (
    <div className={styles.table}>
      <div className={styles.light} data-reads={isEmpty || generation?.status === 'failed'}>
        {generation !== undefined ? (
          <Prints generation={generation} live={live} />
        ) : (
          isEmpty && <Welcome model={model} onTake={onTake} />
        )}
      </div>
      <Footing generation={generation} live={live} hold={hold} />
    </div>
  );
}
