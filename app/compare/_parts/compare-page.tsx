'use client';
import { ArrowLeftRight } from 'lucide-react';
import Link from 'next/link';
import { useState, type CSSProperties } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { BackLink } from '../../_components/back-link.tsx';
import { Button } from '../../_components/button.tsx';
import { planSteps } from '../../_components/plan-words.ts';
import { Picture } from '../../_components/picture.tsx';
import { isVideo, Result, stillOf } from '../../_components/result.tsx';
import { Segments } from '../../_components/segments.tsx';
import { formatPercent, formatSeconds } from '../../_lib/format.ts';
import { useLive } from '../../_lib/live.ts';
import { useGeneration } from '../../_lib/queries.ts';
import { describe, isActive } from '../../_lib/states.ts';
import type { Difference } from './measure.ts';
import { useDifference, type Measured } from './use-difference.ts';
import styles from './compare-page.module.css';

const modes = [
  { value: 'slider', label: 'Slider' },
  { value: 'beside', label: 'Side by side' },
  { value: 'difference', label: 'Difference' },
] as const;
type Mode = (typeof modes)[number]['value'];

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
        <Button size="s" onClick={() => setSwapped(!swapped)}>
          <ArrowLeftRight aria-hidden /> Swap
        </Button>
      </div>
      {error !== null ? (
        <p className={styles.error}>{error.message}</p>
      ) : (
        a.data !== undefined &&
        b.data !== undefined && (
          <>
            <div className={styles.stage}>
              <Stage a={a.data} b={b.data} mode={mode} difference={difference.data ?? null} />
            </div>
            <div className={styles.below}>
              <div className={styles.mode}>
                <Segments legend="View" name="mode" options={modes} value={mode} onChange={setMode} />
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
            <div className={styles.pair}>
              <Side generation={a.data} name="Left" />
              <Side generation={b.data} name="Right" />
            </div>
          </>
        )
      )}
    </div>
  );
}

/** What the worker measured over all frames of two videos, one of which is the exact run of the other. */
function videoProof(a: Generation, b: Generation): (Difference & { frames: number }) | undefined {
  const comparison = a.verifies === b.id ? a.comparison : b.verifies === a.id ? b.comparison : null;
  if (comparison?.frames === undefined) return undefined;
  const { psnr, meanDifference: mean, maxDifference: max, frames } = comparison;
  return { mean, max, psnr: psnr ?? Infinity, equal: psnr === null, frames: frames.length };
}

interface StageProps {
  a: Generation;
  b: Generation;
  mode: Mode;
  difference: Measured | null;
}

function Stage({ a, b, mode, difference }: StageProps) {
  const [position, setPosition] = useState(50);
  const pictureA = a.assets[0];
  const pictureB = b.assets[0];
  if (pictureA === undefined || pictureB === undefined) {
    return (
      <div className={styles.beside}>
        <One generation={a} />
        <One generation={b} />
      </div>
    );
  }
  if (mode === 'beside') {
    return (
      <div className={styles.beside}>
        <One generation={a} />
        <One generation={b} />
      </div>
    );
  }
  if (mode === 'difference') {
    return difference === null ? (
      <p className={styles.error}>Pictures of different sizes have no difference that could be shown.</p>
    ) : (
      <Picture
        src={difference.picture}
        alt={`Where the two differ, four times as strong: ${difference.mean.toFixed(2)} of 255 on average`}
        width={pictureA.width}
        height={pictureA.height}
      />
    );
  }
  return (
    <div
      className={styles.slider}
      style={{ '--w': pictureA.width, '--h': pictureA.height, '--at': `${position}%` } as CSSProperties}
    >
      <img src={stillOf(pictureB)} alt={`Right: ${b.params.prompt}`} draggable={false} />
      <img
        src={stillOf(pictureA)}
        alt={`Left: ${a.params.prompt}`}
        draggable={false}
        className={styles.over}
      />
      <span className={styles.line} aria-hidden />
      <span className={`film ${styles.tag}`} data-side="left" aria-hidden>
        {planSteps(a.params.plan)}
      </span>
      <span className={`film ${styles.tag}`} data-side="right" aria-hidden>
        {planSteps(b.params.plan)}
      </span>
      <input
        type="range"
        min={0}
        max={100}
        step={0.5}
        value={position}
        aria-label="How much of the left picture is shown"
        aria-valuetext={`${Math.round(position)} %`}
        onChange={(event) => setPosition(Number(event.target.value))}
      />
    </div>
  );
}

function One({ generation }: { generation: Generation }) {
  const live = useLive(generation.id);
  const asset = generation.assets[0];
  const { headline, progress } = describe(generation, live);
  const { width, height, prompt } = generation.params;
  const preview = isActive(generation.status) ? live?.preview : undefined;
  return (
    <div className={styles.one}>
      {asset !== undefined ? (
        <Result asset={asset} alt={prompt} />
      ) : preview != null ? (
        <Picture preview src={preview} alt="The picture so far" width={width} height={height} />
      ) : (
        <p className={styles.waiting}>
          {headline} {progress !== null && isActive(generation.status) && formatPercent(progress)}
        </p>
      )}
    </div>
  );
}

function Numbers({
  difference,
  isEnabled,
}: {
  difference: Difference | null | undefined;
  isEnabled: boolean;
}) {
  if (!isEnabled || difference === undefined)
    return <p className={styles.measured}>Measured when both are there.</p>;
  if (difference === null) return <p className={styles.measured}>The two have different sizes.</p>;
  if (difference.equal) return <p className={styles.measured}>Not a single value differs.</p>;
  const figures: [string, string][] = [
    ['Mean difference', `${difference.mean.toFixed(2)} of 255`],
    ['Largest', String(difference.max)],
    ['PSNR', `${difference.psnr.toFixed(1)} dB`],
  ];
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Side({ generation, name }: { generation: Generation; name: string }) {
  const { params, receipt, seed } = generation;
  const facts = [
    planSteps(params.plan),
    receipt === null
      ? null
      : `${receipt.encoderRuns} of ${receipt.encoderRuns + receipt.encoderRunsSaved} encoder passes`,
    receipt === null
      ? null
      : `${formatSeconds(receipt.seconds.encoder + receipt.seconds.decoder)} in encoder and decoder`,
    `seed ${seed}`,
  ].filter((fact) => fact !== null);
  return (
    <section className={styles.side} aria-label={name}>
      <p className={styles.which}>{name}</p>
      <h2 className={styles.prompt}>
        <Link href={`/library/${generation.id}`}>{params.prompt}</Link>
      </h2>
      <p className={styles.facts}>{facts.join(' · ')}</p>
    </section>
  );
}
