import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paceOf, planOf, toggleStep } from '../../app/_lib/plan.ts';
import { resolveSchedule } from '../../lib/contracts/plan.ts';

const faster = resolveSchedule('faster', 50).keySteps;
const whole = { steps: 50, own: 'faster' } as const;

describe('editing a schedule', () => {
  it('switches one step and keeps the order', () => {
    expect(toggleStep(faster, 40, whole)).toEqual({ keySteps: [0, 1, 2, 3, 5, 10, 15, 25, 35, 40] });
    expect(toggleStep(faster, 10, whole)).toEqual({ keySteps: [0, 1, 2, 3, 5, 15, 25, 35] });
  });

  it('is the named plan again when it has the same steps', () => {
    const changed = toggleStep(faster, 40, whole);
    expect(toggleStep((changed as { keySteps: number[] }).keySteps, 40, whole)).toBe('faster');
    const allButLast = Array.from({ length: 49 }, (_, i) => i);
    expect(toggleStep(allButLast, 49, whole)).toBe('exact');
  });

  it("is the model's own plan again when it has the same steps", () => {
    const own = { every: 3 };
    const run = { steps: 25, own };
    const changed = toggleStep(resolveSchedule(own, 25).keySteps, 1, run) as { keySteps: number[] };
    expect(changed.keySteps).toEqual([0, 1, 3, 6, 9, 12, 15, 18, 21, 24]);
    expect(toggleStep(changed.keySteps, 1, run)).toEqual(own);
  });

  it('never lets the first step go', () => {
    expect(toggleStep([0, 7], 0, whole)).toEqual({ keySteps: [0, 7] });
  });

  it('undoes itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 60 }), fc.nat(), fc.array(fc.nat()), (steps, step, keys) => {
        const keySteps = resolveSchedule(
          { keySteps: [0, ...keys.map((key) => key % steps)] },
          steps,
        ).keySteps;
        const once = resolveSchedule(
          toggleStep(keySteps, step % steps, { steps, own: 'faster' }),
          steps,
        ).keySteps;
        expect(
          resolveSchedule(toggleStep(once, step % steps, { steps, own: 'faster' }), steps).keySteps,
        ).toEqual(keySteps);
      }),
    );
  });

  it('counts the steps that a picture takes the place of', () => {
    const rest = { steps: 38, first: 12, own: 'faster' } as const;
    const drawn = resolveSchedule('faster', 50, 12);
    const changed = toggleStep(drawn.keySteps, 30, rest);
    expect(resolveSchedule(changed, 50, 12).keySteps).toEqual([...drawn.keySteps, 30].sort((a, b) => a - b));
    expect(toggleStep(resolveSchedule(changed, 50, 12).keySteps, 30, rest)).toBe('faster');
  });
});

describe('a pace', () => {
  it("means the model's own schedule where it has one", () => {
    expect(planOf('faster', { every: 3 })).toEqual({ every: 3 });
    expect(planOf('fastest', { every: 3 })).toBe('fastest');
    expect(planOf('faster', 'exact')).toBe('faster');
    expect(paceOf({ every: 3 }, { every: 3 })).toBe('faster');
    expect(paceOf('faster', { every: 3 })).toBeUndefined();
    expect(paceOf('exact', { every: 3 })).toBe('exact');
    expect(paceOf('faster', 'faster')).toBe('faster');
  });
});
