import type { Plan } from '../../lib/contracts/generation.ts';
import { planNames, planText, resolveSchedule } from '../../lib/contracts/plan.ts';

/** What the plain choice offers. */
export type Pace = (typeof planNames)[number];

/** The plan behind a pace: where a model has a schedule of its own, that is what `faster` means for it. */
export function planOf(pace: Pace, own: Plan): Plan {
  return pace === 'faster' && typeof own === 'object' ? own : pace;
}

/** The pace whose plan this is; none for a schedule made by hand. */
export function paceOf(plan: Plan, own: Plan): Pace | undefined {
  return planNames.find((pace) => isSamePlan(planOf(pace, own), plan));
}

/** A schedule made by hand may come from a longer run: what this one does not have is left out. */
export function fitPlan(plan: Plan, steps: number): Plan {
  if (typeof plan === 'string' || !('keySteps' in plan)) return plan;
  return {
    keySteps: [...new Set([0, ...plan.keySteps.filter((step) => step < steps)])].sort((a, b) => a - b),
  };
}

export function isSamePlan(a: Plan, b: Plan): boolean {
  return planText(a) === planText(b);
}

/**
 * The plan after the encoder was switched on or off at one step; that of a pace again where the steps are the same.
 * @param keySteps indices into the steps that are drawn
 * @param steps that are drawn
 * @param first steps that are left out before them; a plan counts those too
 * @param own the model's plan
 */
export function toggleStep(
  keySteps: readonly number[],
  step: number,
  { steps, first = 0, own }: { steps: number; first?: number; own: Plan },
): Plan {
  const without = keySteps.filter((key) => key !== step);
  const toggled = without.length === keySteps.length ? [...keySteps, step].sort((a, b) => a - b) : without;
  // The first step has nothing before it whose features it could use.
  const next = step === 0 ? keySteps : toggled;
  const pace = planNames.find((name) =>
    isSame(resolveSchedule(planOf(name, own), steps + first, first).keySteps, next),
  );
  if (pace !== undefined) return planOf(pace, own);
  return { keySteps: next.map((index) => (index === 0 ? 0 : index + first)) };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}
