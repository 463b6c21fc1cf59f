'use client';
import type { Plan } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { resolveSchedule } from '../../lib/contracts/plan.ts';
import { ScheduleStrip } from '../_components/schedule-strip.tsx';
import { Segments } from '../_components/segments.tsx';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import styles from './pace.module.css';

const paces = [
  { value: 'exact', label: 'Exact' },
  { value: 'faster', label: 'Faster' },
  { value: 'fastest', label: 'Fastest' },
] as const;

const meaning = {
  exact: 'Computes everything at every step.',
  faster: 'Looks like Exact to nearly every eye.',
  fastest: 'For trying things out; details may differ.',
};

/** Acceleration as one plain choice, with what it means for this run under it. */
export function Pace({ draft, model }: { draft: Draft; model: Model | undefined }) {
  const steps = draft.steps ?? model?.defaults.steps ?? 50;
  const { keySteps } = schedule(draft.plan, steps);
  const named = typeof draft.plan === 'string' ? draft.plan : undefined;
  const saved = steps - keySteps.length;
  return (
    <div className={styles.pace}>
      <Segments
        legend="Pace"
        name="pace"
        options={paces}
        value={named}
        onChange={(plan) => updateDraft({ plan })}
      />
      <ScheduleStrip steps={steps} keySteps={keySteps} />
      <p className={styles.meaning}>
        {named === undefined ? 'Your own schedule.' : meaning[named]}{' '}
        <span className={styles.saving}>
          {saved === 0
            ? `All ${steps} encoder passes.`
            : `${keySteps.length} encoder ${keySteps.length === 1 ? 'pass' : 'passes'} instead of ${steps}.`}
        </span>
      </p>
    </div>
  );
}

/** A hand-made schedule may be longer than the run it is now asked for; what does not fit is left out. */
function schedule(plan: Plan, steps: number) {
  if (typeof plan === 'object' && 'keySteps' in plan) {
    return resolveSchedule({ keySteps: [0, ...plan.keySteps.filter((step) => step < steps)] }, steps);
  }
  return resolveSchedule(plan, steps);
}
