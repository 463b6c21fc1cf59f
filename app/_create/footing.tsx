'use client';
import { Play, RotateCcw, X } from 'lucide-react';
import type { Generation, Receipt } from '../../lib/contracts/generation.ts';
import { Button } from '../_components/button.tsx';
import { ScheduleStrip } from '../_components/schedule-strip.tsx';
import { useNotify } from '../_components/toaster.tsx';
import { formatSeconds } from '../_lib/format.ts';
import type { Live } from '../_lib/live.ts';
import { usePause, useVerb } from '../_lib/queries.ts';
import { scheduleOfParams } from '../_lib/run-schedule.ts';
import { describe, isActive, type Hold } from '../_lib/states.ts';
import styles from './footing.module.css';

interface FootingProps {
  generation: Generation | undefined;
  live: Live | undefined;
  hold: Hold | undefined;
}

/** Progress, schedule and cancel. The space is reserved whether or not anything is going on. */
export function Footing({ generation, live, hold }: FootingProps) {
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
        <span className={styles.verbs}>
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
        </span>
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
