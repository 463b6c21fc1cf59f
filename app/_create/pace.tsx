'use client';
import type { Plan } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { MAX_STEPS_WITHOUT_PROPAGATION } from '../../lib/contracts/plan.ts';
import { Segments } from '../_components/segments.tsx';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { fitPlan, isSamePlan, paceOf, planOf } from '../_lib/plan.ts';
import { taskOf } from '../_lib/request.ts';
import { scheduleOf } from '../_lib/run-schedule.ts';
import { ScheduleEditor } from './schedule-editor.tsx';
import styles from './pace.module.css';

const paces = [
  { value: 'exact', label: 'Exact' },
  { value: 'faster', label: 'Faster' },
  { value: 'fastest', label: 'Fastest' },
] as const;

const meaning = {
  exact: 'Computes everything at every step.',
  faster: 'Sooner done, and alike to nearly every eye.',
  fastest: 'For trying things out; details may differ.',
};

/** Acceleration as one plain choice, with what it means for this run under it. */
export function Pace({ draft, model }: { draft: Draft; model: Model | undefined }) {
  const own = model?.defaults.plan ?? 'faster';
  const plan = draft.plan ?? own;
  const whole = draft.steps ?? model?.defaults.steps ?? 50;
  const { steps, first, keySteps } = scheduleOf({
    task: taskOf(draft),
    plan: fitPlan(plan, whole),
    steps: whole,
    strength: draft.start?.strength,
    upscale: draft.start?.larger,
  });
  const pace = paceOf(plan, own);
  // What is the model's own is left open, so that another model brings its own.
  const choose = (next: Plan) => updateDraft({ plan: isSamePlan(next, own) ? undefined : next });
  const isShort = steps <= MAX_STEPS_WITHOUT_PROPAGATION;
  return (
    <div className={styles.pace}>
      <Segments
        legend="Pace"
        name="pace"
        options={paces}
        value={pace}
        onChange={(next) => choose(planOf(next, own))}
      />
      <ScheduleEditor
        steps={steps}
        first={first}
        keySteps={keySteps}
        own={own}
        onChange={isShort ? undefined : choose}
      />
      <p className={styles.meaning}>
        {isShort && pace !== 'exact'
          ? 'So few steps are always computed in full.'
          : pace === undefined
            ? 'Your own schedule.'
            : meaning[pace]}{' '}
        <span className={styles.saving}>
          {keySteps.length === steps
            ? `All ${steps} encoder passes.`
            : `${keySteps.length} encoder ${keySteps.length === 1 ? 'pass' : 'passes'} instead of ${steps}.`}
        </span>
      </p>
      <details className={styles.why}>
        <summary>What is an encoder pass?</summary>
        <p>
          A picture comes out of noise in steps. At each step the encoder looks at what is there so far, and
          the decoder makes the next, clearer state of it. What the encoder sees changes little from one step
          to the next: at a short bar it rests, and the decoder works with what it saw last. A pass that is
          saved is time that is saved. Click a bar to switch it.
        </p>
      </details>
    </div>
  );
}
