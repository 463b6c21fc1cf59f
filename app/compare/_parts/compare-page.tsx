'use client';
import { ArrowLeftRight } from 'lucide-react';
import { useState } from 'react';
import { BackLink } from '../../_components/back-link.tsx';
import { Button } from '../../_components/button.tsx';
import { Note } from '../../_components/note.tsx';
import { isVideo, stillOf } from '../../_components/result.tsx';
import { Segments } from '../../_components/segments.tsx';
import { useGeneration } from '../../_lib/queries.ts';
import { Differences } from './differences.tsx';
import { Numbers, videoProof } from './numbers.tsx';
import { Stage, type Mode } from './stage.tsx';
import { useDifference } from './use-difference.ts';
import styles from './compare-page.module.css';

const modes: { value: Mode; label: string }[] = [
  { value: 'slider', label: 'Slider' },
  { value: 'beside', label: 'Side by side' },
  { value: 'difference', label: 'Difference' },
];

/** Two pictures against each other; one of them may still be in the making, as when a picture is verified. */
export function ComparePage({ ids }: { ids: [string, string] }) {
  const [swapped, setSwapped] = useState(false);
  const [mode, setMode] = useState<Mode>('slider');
  const [idA, idB] = swapped ? [ids[1], ids[0]] : ids;
  const a = useGeneration(idA);
  const b = useGeneration(idB);
  const [pictureA, pictureB] = [a.data?.assets[0], b.data?.assets[0]];
  const difference = useDifference(pictureA && stillOf(pictureA), pictureB && stillOf(pictureB));
  const isMoving = [pictureA, pictureB].some((asset) => asset !== undefined && isVideo(asset));
  const proof = a.data && b.data && videoProof(a.data, b.data);
  const error = a.error ?? b.error;

  return (
    <div className={styles.page}>
      <div className={styles.bar}>
        <BackLink href="/library">Library</BackLink>
        <h1 className={styles.title}>Compare</h1>
        <Button size="s" disabled={error !== null} onClick={() => setSwapped(!swapped)}>
          <ArrowLeftRight aria-hidden /> Swap
        </Button>
      </div>
      {error !== null ? (
        <Note title="One of the two is not here">
          <p>{error.message}</p>
        </Note>
      ) : (
        a.data !== undefined &&
        b.data !== undefined && (
          <>
            <div className={styles.stage} data-mode={mode}>
              <Stage a={a.data} b={b.data} mode={mode} difference={difference.data ?? null} />
            </div>
            <div className={styles.below}>
              <div className={styles.mode}>
                <Segments
                  hideLegend
                  legend="View"
                  name="mode"
                  options={modes}
                  value={mode}
                  onChange={setMode}
                />
              </div>
              <Numbers
                difference={proof ?? difference.data}
                isEnabled={difference.fetchStatus !== 'idle' || difference.isFetched}
              />
              {isMoving && (
                <p className={styles.measured}>
                  {proof === undefined
                    ? 'Of a video, its first frame is compared.'
                    : `Figures are of all ${proof.frames} frames; slider and difference show the first.`}
                </p>
              )}
            </div>
            <Differences a={a.data} b={b.data} />
          </>
        )
      )}
    </div>
  );
}
