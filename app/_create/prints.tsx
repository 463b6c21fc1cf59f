'use client';
import Link from 'next/link';
import type { CSSProperties, ReactNode } from 'react';
import type { Generation } from '../../lib/contracts/generation.ts';
import { Picture } from '../_components/picture.tsx';
import { Result } from '../_components/result.tsx';
import type { Live } from '../_lib/live.ts';
import { isActive, isLoading } from '../_lib/states.ts';
import { Failure } from './failure.tsx';
import styles from './prints.module.css';

/** The results beside each other, or the frame in which the one will be. */
export function Prints({ generation, live }: { generation: Generation; live: Live | undefined }) {
  const { assets, params, status } = generation;
  const { width, height } = params;
  if (status === 'succeeded' && assets.length > 0) {
    const columns = Math.ceil(Math.sqrt(assets.length));
    return (
      <ul
        className={styles.prints}
        style={{ '--columns': columns, '--rows': Math.ceil(assets.length / columns) } as CSSProperties}
      >
        {assets.map((asset, index) => (
          <li key={asset.id} className={styles.cell}>
            <Print generation={generation} index={index} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Frame width={width} height={height} isBusy={status === 'running'} reads={status === 'failed'}>
      {isActive(status) &&
        (live?.preview != null ? (
          <Picture preview src={live.preview} alt="The picture so far" width={width} height={height} />
        ) : (
          <Awaited words={params.prompt} isLoading={isLoading(generation, live)} />
        ))}
      {status === 'failed' && <Failure generation={generation} />}
      {status === 'cancelled' && <p className={styles.word}>Cancelled</p>}
    </Frame>
  );
}

/** One result. A picture leads to itself by itself; a video has controls of its own in that place. */
function Print({ generation, index }: { generation: Generation; index: number }) {
  const { id, assets, params } = generation;
  const asset = assets[index];
  if (asset === undefined) return null;
  const alt = assets.length === 1 ? params.prompt : `${params.prompt}, ${index + 1} of ${assets.length}`;
  if (asset.type.startsWith('video/')) {
    return (
      <span className={styles.print}>
        <Result asset={asset} alt={alt} />
      </span>
    );
  }
  return (
    <Link href={`/library/${id}${index === 0 ? '' : `?picture=${index + 1}`}`} className={styles.print}>
      <Result asset={asset} alt={alt} />
    </Link>
  );
}

interface FrameProps {
  width: number;
  height: number;
  isBusy: boolean;
  /** There are words in it, which may need more room than the picture. */
  reads: boolean;
  children: ReactNode;
}

/** An empty frame of the picture's shape with a printer's corner marks. */
function Frame({ width, height, isBusy, reads, children }: FrameProps) {
  return (
    <div
      className={styles.frame}
      data-busy={isBusy}
      data-reads={reads}
      style={{ '--w': width, '--h': height } as CSSProperties}
    >
      <span className={styles.corners} aria-hidden />
      {children}
    </div>
  );
}

/**
 * What stands in the frame until there is something to see: the words themselves, and where the model must first be put
 * together, after a while why that takes so long.
 */
function Awaited({ words, isLoading }: { words: string; isLoading: boolean }) {
  return (
    <div className={styles.awaited}>
      <p className={styles.words} aria-hidden>
        {words}
      </p>
      {isLoading && (
        <p className={styles.patience}>
          The model is being put together for this machine. It then stays in memory, and the next pictures
          begin at once.
        </p>
      )}
    </div>
  );
}
