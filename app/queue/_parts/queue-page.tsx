'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pause, Play, X } from 'lucide-react';
import Link from 'next/link';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { Button, LinkButton } from '../../_components/button.tsx';
import { deviceName } from '../../_components/device-names.ts';
import { Choices, ReadingPage, Section } from '../../_components/page.tsx';
import { Thumb } from '../../_components/thumb.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { formatSeconds } from '../../_lib/format.ts';
import { useGenerations, useHold, useHealth, usePause, useQueue } from '../../_lib/queries.ts';
import type { Hold } from '../../_lib/states.ts';
import { Failed, Running, Waiting } from './queue-rows.tsx';
import styles from './queue-page.module.css';

/** How many of those that are over are shown. */
const LATELY = 8;
const FAILED = 5;

export function QueuePage() {
  const { data: queue } = useQueue();
  const { data: health } = useHealth();
  const hold = useHold();
  const { notifyError } = useNotify();
  const pause = usePause();
  const { items } = useGenerations();
  const made = items.filter(({ status }) => status === 'succeeded').slice(0, LATELY);
  const failed = items.filter(({ status }) => status === 'failed').slice(0, FAILED);
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
          <p className={styles.nothing}>{whyNothing(hold, queued.length)}</p>
        )}
        {running.length + queued.length === 0 && (
          <Choices>
            <LinkButton href="/">Make a picture</LinkButton>
          </Choices>
        )}
      </Section>
      {queued.length > 0 && <Line queued={queued} why={whyWaiting(hold, running.length)} />}
      {failed.length > 0 && (
        <Section title="Failed lately" note={<Link href="/library?status=failed">All that failed</Link>}>
          <ol className={styles.list}>
            {failed.map((generation) => (
              <Failed key={generation.id} generation={generation} />
            ))}
          </ol>
        </Section>
      )}
      {made.length > 0 && (
        <Section title="Made lately" note={<Link href="/library">All in the library</Link>}>
          <ol className={styles.lately}>
            {made.map((generation) => (
              <Made key={generation.id} generation={generation} />
            ))}
          </ol>
        </Section>
      )}
    </ReadingPage>
  );
}

function whyNothing(hold: Hold | undefined, waiting: number): string {
  if (hold === 'no-worker') return 'The worker is not running. What waits is made as soon as it is back.';
  if (hold === 'paused') return 'The queue is paused. Nothing new is started until it goes on.';
  return waiting > 0 ? 'The next one starts in a moment.' : 'Nothing is being made, and nothing waits.';
}

/** One reason for all: they run one after the other, in this order. */
function whyWaiting(hold: Hold | undefined, running: number): string {
  if (hold === 'no-worker') return 'They wait for the worker, which is not running.';
  if (hold === 'paused') return 'They wait because the queue is paused.';
  return running > 0 ? 'They wait until the one above is done.' : '';
}

/** Those that wait, in the order in which they are made. */
function Line({ queued, why }: { queued: readonly Generation[]; why: string }) {
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const onSettled = () => client.invalidateQueries({ queryKey: ['queue'] });
  const move = useMutation({
    mutationFn: ({ id, position }: { id: string; position: number }) => api.moveInQueue(id, position),
    onSettled,
    onError: notifyError,
  });
  const cancelAll = useMutation({
    mutationFn: (ids: string[]) => Promise.allSettled(ids.map((id) => api.cancel(id))),
    onSuccess: (answers) => {
      // One that began or was cancelled meanwhile is no failure of this.
      const done = answers.filter(({ status }) => status === 'fulfilled').length;
      notify({ title: `${done} ${done === 1 ? 'request' : 'requests'} cancelled.` });
    },
    onSettled,
  });
  return (
    <Section
      title="Waiting"
      note={`${queued.length} ${queued.length === 1 ? 'request' : 'requests'}, in this order. ${why}`}
    >
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
  );
}

function Made({ generation }: { generation: Generation }) {
  const { id, params, receipt } = generation;
  return (
    <li>
      <Link href={`/library/${id}`} className={styles.made} aria-label={params.prompt} title={params.prompt}>
        <Thumb generation={generation} />
      </Link>
      {receipt !== null && <span className="film">{formatSeconds(receipt.seconds.total)}</span>}
    </li>
  );
}
