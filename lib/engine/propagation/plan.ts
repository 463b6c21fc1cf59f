import { EncoreError } from '../../contracts/errors.ts';
import type { Plan } from '../../contracts/generation.ts';

/** Which evaluations run the encoder. Pure: nothing here knows a network or a scheduler. */
export interface ResolvedPlan {
  /** Indices into the evaluated timesteps, ascending, the first always 0. */
  readonly keySteps: readonly number[];
  /** Whether every step is a key step. */
  readonly exact: boolean;
  /** Sentences for the person: fallbacks taken. */
  readonly notices: readonly string[];
}

/** A key step and the steps decoded from its features: itself and those up to the next key step. */
export interface Span {
  readonly key: number;
  readonly steps: readonly number[];
}

export interface RunShape {
  /** Network evaluations of a whole run, noise to picture. */
  steps: number;
  /** Evaluations left out at the noisy end. Default 0. */
  first?: number;
}

/**
 * Named plans as fractions of a whole run, 0 the noisiest. `faster` is the paper's list for 50 steps (0 1 2 3 5 10 15
 * 25 35); at 20 steps it has the seven keys that the paper has there. `fastest` keeps its dense beginning and thins out
 * what follows: 0 1 2 5 12 25 of 50.
 */
const fractions = {
  faster: [0, 0.02, 0.04, 0.06, 0.1, 0.2, 0.3, 0.5, 0.7],
  fastest: [0, 0.02, 0.04, 0.1, 0.24, 0.5],
} as const;

/** Runs this short (LCM, Turbo) change too much between steps: there is nothing to propagate. */
export const exactUpTo = 8;

/**
 * Key steps of a plan. Fractions and lists count from the noisiest step of the whole run, so a run that starts later
 * keeps the same key steps at the same noise; its own first step is always key. Throws `invalid_parameter` for a list
 * that does not begin with 0 or names a step that does not exist.
 */
export function resolvePlan(plan: Plan, { steps, first = 0 }: RunShape): ResolvedPlan {
  const wanted = keyStepsOf(plan, steps);
  const evaluated = steps - first;
  if (plan !== 'exact' && evaluated <= exactUpTo) {
    const notice = `${evaluated} steps run exactly: with ${exactUpTo} or fewer there is nothing to propagate.`;
    return { keySteps: everyStep(evaluated, 1), exact: true, notices: [notice] };
  }
  const shifted = wanted.filter((step) => step > first).map((step) => step - first);
  const keySteps = [0, ...new Set(shifted)];
  return { keySteps, exact: keySteps.length === evaluated, notices: [] };
}

function keyStepsOf(plan: Plan, steps: number): number[] {
  if (plan === 'exact') return everyStep(steps, 1);
  if (plan === 'faster' || plan === 'fastest') {
    // Neighbouring fractions meet in short runs; the Set of the caller joins them.
    return fractions[plan].map((fraction) => Math.round(fraction * steps)).filter((step) => step < steps);
  }
  if ('every' in plan) return everyStep(steps, plan.every);
  const listed = [...plan.keySteps].sort((a, b) => a - b);
  if (listed[0] !== 0) {
    throw new EncoreError('invalid_parameter', `the key steps ${listed.join(', ')} do not begin with 0`, {
      remedy: 'Steps are counted from 0, and the first has no features to take over.',
    });
  }
  const last = listed.at(-1) ?? 0;
  if (last >= steps) {
    throw new EncoreError('invalid_parameter', `key step ${last} does not exist in a run of ${steps} steps`, {
      remedy: `The last is ${steps - 1}.`,
    });
  }
  return listed;
}

function everyStep(steps: number, k: number): number[] {
  return Array.from({ length: Math.ceil(steps / k) }, (_, i) => i * k);
}

/** Cuts a run of `evaluations` at its key steps. */
export function spansOf(keySteps: readonly number[], evaluations: number): Span[] {
  return keySteps.map((key, i) => {
    const next = keySteps[i + 1] ?? evaluations;
    return { key, steps: Array.from({ length: next - key }, (_, step) => key + step) };
  });
}
