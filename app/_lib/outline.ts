import type { Outline } from '../../lib/contracts/api.ts';
import type { Generation } from '../../lib/contracts/generation.ts';

const QUARTER_MS = 15 * 60 * 1000;

export const emptyOutline: Outline = { quarters: [] };

export function outlineOf(items: readonly Pick<Generation, 'id' | 'createdAt'>[]): Outline {
  return items.toReversed().reduce((outline, item) => withGeneration(outline, item), emptyOutline);
}

/** Puts a generation first in its quarter of an hour; where it is there already, the outline is the same object. */
export function withGeneration(
  outline: Outline,
  { id, createdAt }: Pick<Generation, 'id' | 'createdAt'>,
): Outline {
  const at = Math.floor(Date.parse(createdAt) / QUARTER_MS) * QUARTER_MS;
  const { quarters } = outline;
  const index = quarters.findIndex((quarter) => quarter.at <= at);
  const place = index === -1 ? quarters.length : index;
  const there = quarters[place];
  if (there?.at !== at) {
    return { quarters: [...quarters.slice(0, place), { at, ids: [id] }, ...quarters.slice(place)] };
  }
  if (there.ids.includes(id)) return outline;
  return { quarters: quarters.with(place, { at, ids: [id, ...there.ids] }) };
}

/** Takes some out; where none of them was there, the outline is the same object. */
export function without(outline: Outline, ids: ReadonlySet<string>): Outline {
  if (!outline.quarters.some((quarter) => quarter.ids.some((id) => ids.has(id)))) return outline;
  return {
    quarters: outline.quarters
      .map(({ at, ids: there }) => ({ at, ids: there.filter((id) => !ids.has(id)) }))
      .filter((quarter) => quarter.ids.length > 0),
  };
}
