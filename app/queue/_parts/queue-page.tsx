'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ArrowDown, ArrowUp, ArrowUpToLine, Copy, Pause, Play, RotateCw, X } from 'lucide-react';
import Link from 'next/link';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { Button } from '../../_components/button.tsx';
import { Breakable } from '../../_components/breakable.tsx';
import { deviceName } from '../../_components/device-names.ts';
import { IconButton } from '../../_components/icon-button.tsx';
import { ReadingPage, Section } from '../../_components/page.tsx';
import { Thumb } from '../../_components/thumb.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { formatPercent } from '../../_lib/format.ts';
import { useLive } from '../../_lib/live.ts';
import { useGenerations, useHealth, usePause, useQueue, useVerb } from '../../_lib/queries.ts';
import { sentences } from '../../_lib/sentences.ts';
import { describe } from '../../_lib/states.ts';
import { taskNames } from '../../_lib/task-names.ts';
import styles from './queue-page.module.css';

export function QueuePage() {
  const { data: queue } = useQueue();
  const { data: health } = useHealth();
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const pause = usePause();
  const move = useMutation({
    mutationFn: ({ id, position }: { id: string; position: number }) => api.moveInQueue(id, position),
    onSettled: () => client.invalidateQueries({ queryKey: ['queue'] }),
    onError: notifyError,
  });
  const cancelAll = useMutation({
    mutationFn: (ids: string[]) => Promise.allSettled(ids.map((id) => api.cancel(id))),
    onSuccess: (answers) => {
      // One that began or was cancelled meanwhile is no failure of this.
      const done = answers.filter(({ status }) => status === 'fulfilled').length;
      notify({ title: `${done} ${done === 1 ? 'request' : 'requests'} cancelled.` });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['queue'] }),
  });
  const { items } = useGenerations();
  const failed = items.filter(({ status }) => status === 'failed').slice(0, 5);
  if (queue === undefined) return <ReadingPage title="Queue">{null}</ReadingPage>;
  const { running, queued, paused } = queue;

  return (
    <ReadingPage
      title="Queue"
      actions={
        <Button disabled={pause.isPending} onClick={() => pause.mutate(!paused, { onError: notifyError })}>
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          {paused ? 'Go on' : 'Pause'}
        </Button>
      }
    >
      <Section
        title="Being made"
        note={health?.worker.device != null && `By this machine’s ${deviceName(health.worker.device)}.`}
      >
        {running.length > 0 ? (
          <ol className={styles.list}>
            {running.map((generation) => (
              <Running key={generation.id} generation={generation} />
            ))}
          </ol>
        ) : (
          <p className={styles.nothing}>{whyNothing(paused, queued.length, health?.worker.alive)}</p>
        )}
      </Section>
      <Section
        title="Waiting"
        note={
          queued.length > 0 && (
            <>
              {queued.length} {queued.length === 1 ? 'request' : 'requests'}, in this order.{' '}
              {whyWaiting(paused, running.length, health?.worker.alive)}
            </>
          )
        }
      >
        {queued.length > 0 ? (
          <ol className={styles.list}>
            {queued.map((generation, index) => (
              <Waiting
                key={generation.id}
                generation={generation}
                position={index}
                isLast={index === queued.length - 1}
                onMove={(position) => move.mutate({ id: generation.id, position })}
              />
            ))}
          </ol>
        ) : (
          <p className={styles.nothing}>
            Nothing waits. What you ask for on the <Link href="/">Create page</Link> while another picture is
            made stands here, and can be put in order.
          </p>
        )}
        {queued.length > 1 && (
          <Button
            size="s"
            tone="quiet"
            className={styles.all}
            disabled={cancelAll.isPending}
            onClick={() => cancelAll.mutate(queued.map(({ id }) => id))}
          >
            <X aria-hidden /> Cancel all that wait
          </Button>
        )}
      </Section>
      {failed.length > 0 && (
        <Section title="Failed lately" note={<Link href="/library?status=failed">All that failed</Link>}>
          <ol className={styles.list}>
            {failed.map((generation) => (
              <Failed key={generation.id} generation={generation} />
            ))}
          </ol>
        </Section>
      )}
    </ReadingPage>
  );
}

function whyNothing(paused: boolean, waiting: number, workerIsAlive: boolean | undefined): string {
  if (paused) return 'The queue is paused. Nothing new is started until it goes on.';
  if (workerIsAlive === false) return 'The worker is not running. What waits is made as soon as it is back.';
  return waiting > 0 ? 'The next one starts in a moment.' : 'Nothing is being made.';
}

/** One reason for all: they run one after the other, in this order. */
function whyWaiting(paused: boolean, running: number, workerIsAlive: boolean | undefined): string {
  if (paused) return 'They wait because the queue is paused.';
  if (workerIsAlive === false) return 'They wait for the worker, which is not running.';
  return running > 0 ? 'They wait until the one above is done.' : '';
}

function Failed({ generation }: { generation: Generation }) {
  const retry = useVerb('retry');
  const { notify, notifyError } = useNotify();
  const { params, error } = generation;
  return (
    <li className={styles.item}>
      <div className={styles.words}>
        <Link href={`/library/${generation.id}`} className={styles.prompt}>
          {params.prompt}
        </Link>
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
        <IconButton
          label={`Copy details: ${params.prompt}`}
          onClick={() =>
            void navigator.clipboard.writeText(JSON.stringify(generation, null, 2)).then(
              () => notify({ title: 'The details are on the clipboard.' }),
              () => notify({ title: 'This browser does not let the page copy.' }),
            )
          }
        >
          <Copy />
        </IconButton>
      </div>
    </li>
  );
}

function Running({ generation }: { generation: Generation }) {
  const live = useLive(generation.id);
  const { headline, detail, progress } = describe(generation, live);
  return (
    <li className={styles.item}>
      <span className={styles.thumb}>
        <Thumb generation={generation} />
      </span>
      <div className={styles.words}>
        <Link href={`/library/${generation.id}`} className={styles.prompt}>
          {generation.params.prompt}
        </Link>
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

function Waiting({ generation, position, isLast, onMove }: WaitingProps) {
  const { params } = generation;
  return (
    <li className={styles.item}>
      <span className={`film ${styles.number}`}>{position + 1}</span>
      <div className={styles.words}>
        <Link href={`/library/${generation.id}`} className={styles.prompt}>
          {params.prompt}
        </Link>
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
