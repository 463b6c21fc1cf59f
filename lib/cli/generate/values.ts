import { InvalidArgumentError } from 'commander';
import { EncoreError } from '../../contracts/errors.ts';
import { limits, schedulerNames, type Plan, type SchedulerName } from '../../contracts/generation.ts';
import { readPlan } from '../../contracts/plan.ts';

/** Parsers of option values for commander, which adds the option's name to what they throw. */

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
  return value;
}

export function orOff(text: string): number | 'off' {
  return text === 'off' ? 'off' : number(text);
}

export function orAuto(text: string): number | 'auto' {
  if (text === 'auto') return 'auto';
  const value = number(text);
  if (!Number.isInteger(value) || value < 1 || value > limits.maxSteps) {
    throw new InvalidArgumentError(`Use auto, or a whole number from 1 to ${limits.maxSteps}.`);
  }
  return value;
}

export function parsePlan(text: string): Plan {
  const plan = readPlan(text);
  if (plan !== undefined) return plan;
  throw new InvalidArgumentError('Use exact, faster, fastest, uniform:K, or key steps like 0,1,2,5.');
}

export function schedulerName(text: string): SchedulerName {
  const known = schedulerNames.find((name) => name === text);
  if (known !== undefined) return known;
  throw new EncoreError('unknown_scheduler', `there is no scheduler "${text}"`, {
    remedy: `Choose one of ${schedulerNames.join(', ')}.`,
  });
}

/** Of an option that may be given again: all of its values. */
export function another(text: string, before: string[] = []): string[] {
  return [...before, text];
}
