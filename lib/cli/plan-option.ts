import { InvalidArgumentError } from 'commander';
import type { Plan } from '../contracts/generation.ts';

/** `exact`, `faster`, `fastest`, `uniform:K`, or key steps like `0,1,2,5`. */
export function parsePlan(text: string): Plan {
  if (text === 'exact' || text === 'faster' || text === 'fastest') return text;
  const uniform = /^uniform:(\d{1,4})$/.exec(text)?.[1];
  if (uniform !== undefined) return { every: Number(uniform) };
  if (/^\d{1,4}([, ]+\d{1,4})*$/.test(text)) return { keySteps: text.split(/[, ]+/).map(Number) };
  throw new InvalidArgumentError('Use exact, faster, fastest, uniform:K, or key steps like 0,1,2,5.');
}
