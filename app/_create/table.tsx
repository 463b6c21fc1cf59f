'use client';
import { Play, RotateCcw, X } from 'lucide-react';
import Link from 'next/link';
import type { Generation, Receipt } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { Button } from '../_components/button.tsx';
import { Picture } from '../_components/picture.tsx';
import { Result } from '../_components/result.tsx';
import { ScheduleStrip } from '../_components/schedule-strip.tsx';
import { useNotify } from '../_components/toaster.tsx';
import type { Live } from '../_lib/live.ts';
import { formatSeconds } from '../_lib/format.ts';
import { usePause, useVerb } from '../_lib/queries.ts';
import { scheduleOfParams } from '../_lib/run-schedule.ts';
import { describe, isActive, isLoading, type Hold } from '../_lib/states.ts';
import { Failure } from './failure.tsx';
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

/** Progress, schedule and cancel. The space is reserved whether or not anything is going on. */
function Footing({ generation, live, hold }: Pick<TableProps, 'generation' | 'live' | 'hold'>) {
  const cancel = useVerb('cancel');
  const retry = useVerb('retry');
  const pause = usePause();
  const { notifyError } = useNotify();
  if (generation === undefined) return <div className={styles.footing} />;

  const { status, params, receipt } = generation;
  const { headline, detail, progress } = describe(generation, live, hold);
  const active = isActive(status);
  const { steps, keySteps } = scheduleOfParams(params, receipt);
  const done = status === 'succeeded' ? steps : active ? (live?.step ?? generation.step ?? 0) : 0;

  return (
    <div className={styles.footing}>
      <div className={styles.line}>
        <p className={styles.headline}>
          <strong>{headline}</strong>
          {detail !== null && status !== 'failed' && <span className={styles.counting}> {detail}</span>}
          {status === 'succeeded' && receipt !== null && <Took receipt={receipt} />}
        </p>
        {status === 'queued' && hold === 'paused' && (
          <Button
            size="s"
            disabled={pause.isPending}
            onClick={() => pause.mutate(false, { onError: notifyError })}
          >
            <Play aria-hidden /> Let it go on
          </Button>
        )}
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

/** How long it took, and how much of it was computed. */
function Took({ receipt }: { receipt: Receipt }) {
  const { encoderRuns, encoderRunsSaved, seconds } = receipt;
  return (
    <span>
      {' '}
      in {formatSeconds(seconds.total)} with {encoderRuns} encoder {encoderRuns === 1 ? 'pass' : 'passes'}
      {encoderRunsSaved > 0 && `, ${encoderRunsSaved} saved`}
    </span>
  );
}
