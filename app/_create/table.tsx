'use client';
import { Copy, RotateCcw, X } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import type { Generation } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { Button } from '../_components/button.tsx';
import { Picture } from '../_components/picture.tsx';
import { Result } from '../_components/result.tsx';
import { ScheduleStrip } from '../_components/schedule-strip.tsx';
import { useNotify } from '../_components/toaster.tsx';
import { updateDraft } from '../_lib/draft.ts';
import type { Live } from '../_lib/live.ts';
import { useVerb } from '../_lib/queries.ts';
import { scheduleOfParams } from '../_lib/run-schedule.ts';
import { describe, isActive } from '../_lib/states.ts';
import styles from './table.module.css';

interface TableProps {
  generation: Generation | undefined;
  live: Live | undefined;
  /** Nothing was ever made here. */
  isEmpty: boolean;
  model: Model | undefined;
}

/** The place where a picture is looked forward to, appears, and is looked at. It never changes its size. */
export function Table({ generation, live, isEmpty, model }: TableProps) {
  return (
    <div className={styles.table}>
      <div className={styles.light}>
        {generation !== undefined ? (
          <Prints generation={generation} live={live} />
        ) : (
          isEmpty && <Welcome model={model} />
        )}
      </div>
      <Footing generation={generation} live={live} />
    </div>
  );
}

function Prints({ generation, live }: { generation: Generation; live: Live | undefined }) {
  const { assets, params, status } = generation;
  const { width, height } = params;
  if (status === 'succeeded' && assets.length > 0) {
    const columns = Math.ceil(Math.sqrt(assets.length));
    return (
      <ul
        className={styles.prints}
        style={{ '--columns': columns, '--rows': Math.ceil(assets.length / columns) } as React.CSSProperties}
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
    <Frame width={width} height={height} busy={status === 'running'}>
      {isActive(status) && live?.preview != null && (
        <Picture preview src={live.preview} alt="The picture so far" width={width} height={height} />
      )}
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

/** An empty frame of the picture's shape with a printer's corner marks. */
function Frame({
  width,
  height,
  busy = false,
  children,
}: {
  width: number;
  height: number;
  busy?: boolean;
  children?: React.ReactNode;
}) {
  return (
    <div
      className={styles.frame}
      data-busy={busy}
      style={{ '--w': width, '--h': height } as React.CSSProperties}
    >
      <span className={styles.corners} aria-hidden />
      {children}
    </div>
  );
}

function Welcome({ model }: { model: Model | undefined }) {
  const sentences = model?.suggestions.slice(0, 5) ?? [];
  return (
    <div className={styles.welcome}>
      <span className={styles.corners} aria-hidden />
      <h2 className={styles.welcomeTitle}>Write a sentence, get a picture.</h2>
      {sentences.length > 0 && (
        <>
          <p>{model?.name} knows these well:</p>
          <ul className={styles.sentences}>
            {sentences.map((sentence) => (
              <li key={sentence}>
                <button
                  type="button"
                  className={styles.sentence}
                  onClick={() => updateDraft({ prompt: sentence })}
                >
                  {sentence}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Failure({ generation }: { generation: Generation }) {
  const retry = useVerb('retry');
  const { notify, notifyError } = useNotify();
  const [copied, setCopied] = useState(false);
  const { error } = generation;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(
        JSON.stringify(
          { id: generation.id, error, params: generation.params, attempt: generation.attempt },
          null,
          2,
        ),
      );
      setCopied(true);
    } catch {
      notify({ title: 'The browser does not allow copying here.' });
    }
  };
  return (
    <div className={styles.failure} role="alert">
      <h2 className={styles.failureTitle}>{error?.title ?? 'This did not work'}</h2>
      {error !== null && <p className={styles.failureDetail}>{error.detail}</p>}
      {error?.remedy !== undefined && <p>{error.remedy}</p>}
      <div className={styles.failureActions}>
        <Button
          tone="mark"
          onClick={() => retry.mutate(generation.id, { onError: notifyError })}
          disabled={retry.isPending}
        >
          <RotateCcw aria-hidden /> Retry
        </Button>
        <Button onClick={() => void copy()}>
          <Copy aria-hidden /> {copied ? 'Copied' : 'Copy details'}
        </Button>
      </div>
    </div>
  );
}

/** Progress, schedule and cancel. The space is reserved whether or not anything is going on. */
function Footing({ generation, live }: { generation: Generation | undefined; live: Live | undefined }) {
  const cancel = useVerb('cancel');
  const retry = useVerb('retry');
  const { notifyError } = useNotify();
  if (generation === undefined) return <div className={styles.footing} />;

  const { status, params, receipt } = generation;
  const { headline, detail, progress } = describe(generation, live);
  const active = isActive(status);
  const { steps, keySteps } = scheduleOfParams(params, receipt);
  const done = status === 'succeeded' ? steps : active ? (live?.step ?? generation.step ?? 0) : 0;

  return (
    <div className={styles.footing}>
      <div className={styles.line}>
        <p className={styles.headline}>
          <strong>{headline}</strong>
          {detail !== null && status !== 'failed' && <span className={styles.counting}> {detail}</span>}
          {status === 'succeeded' && receipt !== null && (
            <Saved encoderRuns={receipt.encoderRuns} saved={receipt.encoderRunsSaved} />
          )}
        </p>
        {active && (
          <Button
            size="s"
            disabled={status === 'cancelling' || cancel.isPending}
            onClick={() => cancel.mutate(generation.id, { onError: notifyError })}
          >
            <X aria-hidden /> {status === 'cancelling' ? 'Cancelling…' : 'Cancel'}
          </Button>
        )}
        {status === 'cancelled' && (
          <Button
            size="s"
            disabled={retry.isPending}
            onClick={() => retry.mutate(generation.id, { onError: notifyError })}
          >
            <RotateCcw aria-hidden /> Make it after all
          </Button>
        )}
      </div>
      <div
        className={styles.track}
        data-shown={active}
        {...(active && {
          role: 'progressbar',
          'aria-label': 'Progress of the picture',
          'aria-valuemin': 0,
          'aria-valuemax': 100,
          'aria-valuenow': Math.floor((progress ?? 0) * 100),
          'aria-valuetext': [headline, detail].filter(Boolean).join(', '),
        })}
      >
        <div className={styles.fill} style={{ transform: `scaleX(${active ? (progress ?? 0) : 0})` }} />
      </div>
      <ScheduleStrip steps={steps} keySteps={keySteps} done={done} />
    </div>
  );
}

function Saved({ encoderRuns, saved }: { encoderRuns: number; saved: number }) {
  return (
    <span>
      {' '}
      with {encoderRuns} encoder {encoderRuns === 1 ? 'pass' : 'passes'}
      {saved > 0 && `, ${saved} saved`}
    </span>
  );
}
