import { expect, it } from 'vitest';
import { drawnPath, paths, wayOf } from '../../app/_lib/motion.ts';
import { inputLimits, motionSchema } from '../../lib/contracts/task-inputs.ts';

const still = { x: 0, y: 0 };

it('tells the ways of a view apart', () => {
  expect(wayOf(still)).toBe('straight');
  for (const name of ['circle', 'back'] as const) {
    expect(wayOf({ ...still, path: [...paths[name]] })).toBe(name);
    expect(motionSchema.parse({ ...still, path: paths[name] }).path).toEqual(paths[name]);
  }
  expect(wayOf({ ...still, path: [{ x: 5, y: 5 }] })).toBe('drawn');
});

it('ends its ready-made paths where they began', () => {
  for (const path of Object.values(paths)) expect(path.at(-1)).toEqual(still);
});

it('keeps of a path that was drawn as much as a request may have, and its end', () => {
  expect(drawnPath([])).toBeUndefined();
  expect(drawnPath([{ x: 1.4, y: -2.6 }])?.at(-1)).toEqual({ x: 1, y: -3 });
  for (const length of [2, 31, 32, 33, 500]) {
    const drawn = Array.from({ length }, (_, i) => ({ x: (i * 128) / length, y: -i / length }));
    const path = drawnPath(drawn)!;
    expect(motionSchema.parse({ ...still, path }).path).toHaveLength(path.length);
    expect(path.at(-1)).toEqual({ x: Math.round(drawn.at(-1)!.x), y: Math.round(drawn.at(-1)!.y) + 0 });
    expect(path.length).toBeLessThanOrEqual(inputLimits.maxPath);
  }
});
