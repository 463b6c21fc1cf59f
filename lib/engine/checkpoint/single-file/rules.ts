import type { Shape } from '../../tensor/tensor.ts';
import type { WeightRef } from '../weight-source.ts';

/** How one tensor of a single-file checkpoint is called in diffusers; `$1` is the first number of the name. */
export interface Rule {
  readonly pattern: RegExp;
  readonly name: string | ((...numbers: number[]) => string | null);
  /** The tensor under its new shape; the bytes stay where they are. */
  readonly reshape?: (shape: Shape) => Shape;
}

/** A rule for names under `from`, whose numbers stand as `#`. `null` from the function leaves the tensor out. */
export function rule(from: string, name: Rule['name'], reshape?: Rule['reshape']): Rule {
  const pattern = from.replaceAll('.', '\\.').replaceAll('#', '(\\d+)');
  return { pattern: new RegExp(`^${pattern}(?=\\.|$)`), name, ...(reshape === undefined ? {} : { reshape }) };
}

/** Applies the first rule that fits to the start of each name, then `inner` names inside it. */
export function rename(
  name: string,
  rules: readonly Rule[],
  inner: Readonly<Record<string, string>>,
): { name: string; rule: Rule } | null {
  for (const each of rules) {
    const match = each.pattern.exec(name);
    if (match === null) continue;
    const numbers = match.slice(1).map(Number);
    const start =
      typeof each.name === 'string'
        ? each.name.replaceAll(/\$(\d)/g, (_, i: string) => String(numbers[Number(i) - 1]))
        : each.name(...numbers);
    if (start === null) return null;
    const rest = name.slice(match[0].length);
    for (const [from, to] of Object.entries(inner)) {
      if (rest === `.${from}` || rest.startsWith(`.${from}.`))
        return { name: `${start}.${to}${rest.slice(from.length + 1)}`, rule: each };
    }
    return { name: start + rest, rule: each };
  }
  return null;
}

/** Refs under their new names; names that no rule knows stay out. */
export function renameAll(
  refs: Iterable<WeightRef>,
  prefix: string,
  rules: readonly Rule[],
  inner: Readonly<Record<string, string>> = {},
): Map<string, WeightRef> {
  const renamed = new Map<string, WeightRef>();
  for (const ref of refs) {
    if (!ref.name.startsWith(prefix)) continue;
    const found = rename(ref.name.slice(prefix.length), rules, inner);
    if (found === null) continue;
    const shape = found.rule.reshape?.(ref.shape) ?? ref.shape;
    renamed.set(found.name, { ...ref, name: found.name, shape });
  }
  return renamed;
}
