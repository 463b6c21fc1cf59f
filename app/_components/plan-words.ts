import type { Plan } from '../../lib/contracts/generation.ts';

/** A plan in a few words, as it was asked for. */
export function planSteps(plan: Plan): string {
  if (typeof plan === 'string') return plan;
  if ('every' in plan) return `every ${plan.every} steps`;
  return `own, ${plan.keySteps.length} key steps`;
}
