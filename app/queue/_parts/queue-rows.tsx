'use client';
import { ArrowDown, ArrowUp, ArrowUpToLine, Copy, RotateCw, X } from 'lucide-react';
import Link from 'next/link';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { Breakable } from '../../_components/breakable.tsx';
import { IconButton } from '../../_components/icon-button.tsx';
import { Thumb } from '../../_components/thumb.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { useCopyDetails } from '../../_components/use-copy-details.ts';
import { formatPercent } from '../../_lib/format.ts';
import { useLive } from '../../_lib/live.ts';
import { useVerb } from '../../_lib/queries.ts';
import { sentences } from '../../_lib/sentences.ts';
import { describe } from '../../_lib/states.ts';
import { taskNames } from '../../_lib/task-names.ts';
import styles from './queue-page.module.css';

export function Running({ generation }: { generation: Generation }) {
  const live = useLive(generation.id);
  const { headline, detail, progress } = describe(generation, live);
  return (
    <li className={styles.item}>
      <span className={styles.thumb}>
        <Thumb generation={generation} />
      </span>
      <div className={styles.words}>
        <Prompt generation={generation} />
        <p className={styles.state}>
          {headline} {formatPercent(progress ?? 0)}
          {detail !== null && ` · ${detail}`}
        </p>
        <div
          className={styles.track}
          role="progressbar"
          aria-label={`Progress of ${generation.params.prompt}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.floor((progress ?? 0) * 100)}
        >
          <span style={{ transform: `scaleX(${progress ?? 0})` }} />
        </div>
      </div>
      <CancelButton generation={generation} />
    </li>
  );
}

interface WaitingProps {
  generation: Generation;
  position: number;
  isLast: boolean;
  onMove: (position: number) => void;
}

export function Waiting({ generation, position, isLast, onMove }: WaitingProps) {
  const { params } = generation;
  return (
    <li className={styles.item} data-kind="waiting">
      <span className={`film ${styles.number}`}>{position + 1}</span>
      <div className={styles.words}>
        <Prompt generation={generation} />
        <p className={styles.state}>
          {generation.task !== 'text-to-image' && `${taskNames[generation.task]} · `}
          {params.width} × {params.height}, {params.steps} steps
          {params.count > 1 && `, ${params.count} pictures`}
          {params.video !== undefined && `, ${params.video.frames} frames`}
          {generation.attempt > 0 && ' · being tried again'}
        </p>
      </div>
      <div className={styles.moves}>
        <IconButton label="To the front" disabled={position === 0} onClick={() => onMove(0)}>
          <ArrowUpToLine />
        </IconButton>
        <IconButton label="Earlier" disabled={position === 0} onClick={() => onMove(position - 1)}>
          <ArrowUp />
        </IconButton>
        <IconButton label="Later" disabled={isLast} onClick={() => onMove(position + 1)}>
          <ArrowDown />
        </IconButton>
        <CancelButton generation={generation} />
      </div>
    </li>
  );
}

export function Failed({ generation }: { generation: Generation }) {
  const retry = useVerb('retry');
  const copyDetails = useCopyDetails();
  const { notifyError } = useNotify();
  const { params, error } = generation;
  return (
    <li className={styles.item}>
      <div className={styles.words}>
        <Prompt generation={generation} />
        <p className={styles.fault}>
          <Breakable>{sentences(error?.detail, error?.remedy)}</Breakable>
        </p>
      </div>
      <div className={styles.moves}>
        <IconButton
          label={`Try again: ${params.prompt}`}
          disabled={retry.isPending}
          onClick={() => retry.mutate(generation.id, { onError: notifyError })}
        >
          <RotateCw />
        </IconButton>
        <IconButton label={`Copy details: ${params.prompt}`} onClick={() => copyDetails(generation)}>
          <Copy />
        </IconButton>
      </div>
    </li>
  );
}

function Prompt({ generation: { id, params } }: { generation: Generation }) {
  return (
    <Link href={`/library/${id}`} className={styles.prompt}>
      {params.prompt}
    </Link>
  );
}

function CancelButton({ generation }: { generation: Generation }) {
  const cancel = useVerb('cancel');
  const { notifyError } = useNotify();
  const isCancelling = generation.status === 'cancelling';
  return (
    <IconButton
      label={isCancelling ? 'Cancelling…' : 'Cancel'}
      disabled={isCancelling || cancel.isPending}
      onClick={() => cancel.mutate(generation.id, { onError: notifyError })}
    >
      <X />
    </IconButton>
  );
}
