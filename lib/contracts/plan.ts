import { z } from 'zod';
import { EncoreError } from './errors.ts';
import type { TaskName } from './task-inputs.ts';

/**
 * Which steps run the encoder. Shared by the engine, which obeys it, and by the page, which shows it beforehand.
 * Index 0 is the noisiest step.
 */

/** In so short a run (LCM, Turbo) neighbours differ too much to share features: everything is computed. */
export const MAX_STEPS_WITHOUT_PROPAGATION = 8;

/** Prior noise injection alpha of a run that propagates (Faster Diffusion, section 3.3). */
export const DEFAULT_INJECTION = 0.003;

/** Plans that go by a name; the others are lists of key steps, or every k-th step. */
export const planNames = ['exact', 'faster', 'fastest'] as const;

/** Which steps run the encoder. Names are fractions of the run and fit any number of steps; lists are step indices. */
export const planSchema = z.union([
  z.enum(planNames),
  z.object({ every: z.int().min(1).max(100) }).strict(),
  z.object({ keySteps: z.array(z.int().min(0).max(999)).min(1).max(1000) }).strict(),
]);
export type Plan = z.infer<typeof planSchema>;

/**
 * Key steps as fractions of a whole run, so that one plan fits any number of steps. `faster` is the paper's list for
 * 50 steps (Faster Diffusion, section 4): 0 1 2 3 5 10 15 25 35; at 20 steps it has the seven keys that the paper has
 * there. `fastest` has six, ever further apart: 0 4 10 18 28 38. docs/propagation.md says why.
 */
const namedPlans = {
  faster: [0, 0.02, 0.04, 0.06, 0.1, 0.2, 0.3, 0.5, 0.7],
  fastest: [0, 0.08, 0.2, 0.36, 0.56, 0.76],
} as const satisfies Record<Exclude<(typeof planNames)[number], 'exact'>, readonly number[]>;

export interface Schedule {
  /** Indices into the evaluated steps; ascending, starts with 0. */
  keySteps: number[];
  /** One sentence where the plan could not be followed as it was asked for. */
  notice: string | null;
}

/**
 * A run that starts later (image-to-image) starts its plan there: fractions and every k-th step count from its own first
 * step, which is always key. A list names steps of the whole run; those it left out are passed over.
 * @param steps network evaluations of a whole run, >= 1
 * @param first evaluations left out at the noisy end
 * @throws EncoreError `invalid_parameter` for a key step that the run does not have
 */
export function resolveSchedule(plan: Plan, steps: number, first = 0): Schedule {
  const evaluated = steps - first;
  const listed = typeof plan === 'object' && 'keySteps' in plan ? plan.keySteps : [];
  const outside = listed.find((step) => step >= steps);
  if (outside !== undefined) {
    throw new EncoreError(
      'invalid_parameter',
      `plan.keySteps: step ${outside} does not exist, the run has ${steps} steps`,
      {
        remedy: `Use indices from 0 to ${steps - 1}.`,
        errors: [{ path: 'plan.keySteps', message: `must be below ${steps}` }],
      },
    );
  }
  if (plan !== 'exact' && evaluated <= MAX_STEPS_WITHOUT_PROPAGATION) {
    return {
      keySteps: everyStep(evaluated, 1),
      notice: `With ${evaluated} ${evaluated === 1 ? 'step' : 'steps'} there is nothing to propagate: every step was computed exactly.`,
    };
  }
  const wanted = keyStepsOf(plan, evaluated, first);
  const keySteps = [0, ...new Set(wanted.filter((step) => step > 0))].sort((a, b) => a - b);
  const addsStart = listed.length > 0 && Math.min(...listed) > first;
  return {
    keySteps,
    notice: addsStart ? 'The first step has nothing to reuse yet, so its encoder was run too.' : null,
  };
}

function keyStepsOf(plan: Plan, evaluated: number, first: number): readonly number[] {
  if (plan === 'exact') return everyStep(evaluated, 1);
  if (typeof plan === 'string') return namedPlans[plan].map((fraction) => Math.round(fraction * evaluated));
  return 'every' in plan ? everyStep(evaluated, plan.every) : plan.keySteps.map((step) => step - first);
}

function everyStep(steps: number, k: number): number[] {
  return Array.from({ length: Math.ceil(steps / k) }, (_, i) => i * k);
}

/** A plan in words, as `--plan` takes it and infotext has it: `exact`, `uniform:6`, `0 1 2 5`. */
export function planText(plan: Plan): string {
  if (typeof plan === 'string') return plan;
  return 'every' in plan ? `uniform:${plan.every}` : plan.keySteps.join(' ');
}

/** Reads {@link planText} back, also with commas between the key steps; undefined for anything else. */
export function readPlan(text: string): Plan | undefined {
  const every = /^uniform:(\d{1,4})$/.exec(text)?.[1];
  if (every !== undefined) return { every: Number(every) };
  if (/^\d{1,4}([, ]+\d{1,4})*$/.test(text)) return { keySteps: text.split(/[, ]+/).map(Number) };
  return planNames.find((name) => name === text);
}

/**
 * Injection where the request leaves it open: an exact run has no lost texture to make up for, and in a video the prior
 * would stand still while the picture moves. `first` as for {@link resolveSchedule}.
 */
export function defaultInjection(plan: Plan, steps: number, first = 0, task?: TaskName): number {
  if (task === 'text-to-video') return 0;
  return resolveSchedule(plan, steps, first).keySteps.length === steps - first ? 0 : DEFAULT_INJECTION;
}

/**
 * Steps that are left out at the noisy end where a picture is drawn anew with a strength of 0 to 1. diffusers:
 * StableDiffusionImg2ImgPipeline.get_timesteps
 */
export function skippedSteps(steps: number, strength: number): number {
  return steps - Math.min(Math.trunc(steps * strength), steps);
}

/**
 * {@link skippedSteps} of a run that draws something.
 * @throws EncoreError `invalid_parameter` where a strength leaves no step
 */
export function firstStep(steps: number, strength: number): number {
  const first = skippedSteps(steps, strength);
  // A run without steps is refused for that.
  if (strength >= 0 && strength <= 1 && (first < steps || steps === 0)) return first;
  throw new EncoreError(
    'invalid_parameter',
    `a strength of ${strength} leaves none of ${steps} steps to draw`,
    {
      remedy: `Use ${(1 / steps).toPrecision(2)} to 1.`,
      errors: [{ path: 'strength', message: 'is too small' }],
    },
  );
}
