import type { GenerationParams, Plan } from '../../lib/contracts/generation.ts';
import { resolveSchedule, skippedSteps } from '../../lib/contracts/plan.ts';
import { defaultStrength, type TaskName, type Upscale } from '../../lib/contracts/task-inputs.ts';

export interface RunSchedule {
  /** Steps left out at the noisy end, because a picture takes their place. */
  first: number;
  /** Steps that are drawn. */
  steps: number;
  /** Of the steps that are drawn, those at which the encoder works. */
  keySteps: number[];
}

interface Run {
  task: TaskName;
  plan: Plan;
  steps: number;
  strength?: number;
  upscale?: Upscale;
}

/** What of a run is drawn, before there is a receipt to tell. A second pass is not counted. */
export function scheduleOf({ task, plan, steps, strength, upscale }: Run): RunSchedule {
  const first = Math.min(steps - 1, skippedSteps(steps, strengthOf(task, strength, upscale)));
  return { first, steps: steps - first, keySteps: resolveSchedule(plan, steps, first).keySteps };
}

function strengthOf(task: TaskName, strength: number | undefined, upscale: Upscale | undefined): number {
  if (task === 'upscale') return upscale?.strength ?? 1;
  if (task === 'image-to-image' || task === 'inpaint') return strength ?? defaultStrength[task];
  return 1;
}

/** The same of a stored generation: as its receipt says, once it has one. */
export function scheduleOfParams(
  params: GenerationParams,
  receipt: { keySteps: number[]; skippedSteps?: number } | null,
): RunSchedule {
  if (receipt === null) return scheduleOf(params);
  const { keySteps, skippedSteps: first = 0 } = receipt;
  return { first, steps: params.steps - first, keySteps };
}
