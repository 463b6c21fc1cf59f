import { inputLimits, type Motion } from '../../lib/contracts/task-inputs.ts';

type Place = NonNullable<Motion['path']>[number];

const RADIUS = 40;

/** Paths that need no drawing, in 512ths of the picture. */
export const paths = {
  circle: Array.from({ length: 12 }, (_, i): Place => {
    const angle = ((i + 1) / 6) * Math.PI;
    return { x: round(RADIUS * Math.sin(angle)), y: round(RADIUS * (1 - Math.cos(angle))) };
  }),
  back: [
    { x: 96, y: 0 },
    { x: 0, y: 0 },
  ],
} as const satisfies Record<string, readonly Place[]>;

export type PathName = keyof typeof paths;

/** How the view goes: straight on, along one of {@link paths}, or as it was drawn. */
export function wayOf({ path }: Motion): PathName | 'straight' | 'drawn' {
  if (path === undefined) return 'straight';
  const same = (places: readonly Place[]) => JSON.stringify(places) === JSON.stringify(path);
  return (Object.keys(paths) as PathName[]).find((name) => same(paths[name])) ?? 'drawn';
}

/** A path of a hand that was followed closely, as short as a request may have it. Undefined: it went nowhere. */
export function drawnPath(places: readonly Place[]): Place[] | undefined {
  const [last] = places.slice(-1);
  if (last === undefined) return undefined;
  const stride = Math.max(1, Math.ceil(places.length / (inputLimits.maxPath - 1)));
  const kept = [...places.filter((_, i) => i % stride === stride - 1), last];
  return kept.map(({ x, y }) => ({ x: round(x), y: round(y) })).slice(0, inputLimits.maxPath);
}

function round(value: number): number {
  return Math.round(value) + 0;
}
