import type { Plan } from '../../lib/contracts/generation.ts';
import { resolveSchedule } from '../../lib/contracts/plan.ts';

const named = ['exact', 'faster', 'fastest'] as const;

/** The plan after the encoder was switched on or off at one step; a named one again where the steps are the same. */
export function toggleStep(keySteps: readonly number[], step: number, steps: number): Plan {
  // The first step has nothing before it whose features it could use.
  if (step === 0) return nameOf(keySteps, steps);
  const without = keySteps.filter((key) => key !== step);
  return nameOf(
    without.length === keySteps.length ? [...keySteps, step].sort((a, b) => a - b) : without,
    steps,
  );
}

export function nameOf(keySteps: readonly number[], steps: number): Plan {
  const same = named.find((plan) => isSame(resolveSchedule(plan, steps).keySteps, keySteps));
  return same ?? { keySteps: [...keySteps] };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}

/** Step indices as a person writes them: "0 1 2, 5-8". Null where it is not that. */
export function parseSteps(text: string, steps: number): number[] | null {
  const found = new Set([0]);
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (match === null) return null;
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (to < from || to >= steps) return null;
    for (let step = from; step <= to; step += 1) found.add(step);
  }
  return [...found].sort((a, b) => a - b);
}
