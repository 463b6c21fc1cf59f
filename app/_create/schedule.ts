import type { Plan } from '../../lib/contracts/generation.ts';
import { planNames, resolveSchedule } from '../../lib/contracts/plan.ts';

/**
 * The plan after the encoder was switched on or off at one step; a named one again where the steps are the same.
 * @param keySteps indices into the steps that are drawn
 * @param steps that are drawn
 * @param first steps that are left out before them; a plan counts those too
 */
export function toggleStep(keySteps: readonly number[], step: number, steps: number, first = 0): Plan {
  // The first step has nothing before it whose features it could use.
  if (step === 0) return nameOf(keySteps, steps, first);
  const without = keySteps.filter((key) => key !== step);
  const next = without.length === keySteps.length ? [...keySteps, step].sort((a, b) => a - b) : without;
  return nameOf(next, steps, first);
}

export function nameOf(keySteps: readonly number[], steps: number, first = 0): Plan {
  const same = planNames.find((plan) =>
    isSame(resolveSchedule(plan, steps + first, first).keySteps, keySteps),
  );
  return same ?? { keySteps: keySteps.map((step) => (step === 0 ? 0 : step + first)) };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}
