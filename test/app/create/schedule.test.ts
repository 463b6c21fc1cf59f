import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf, toggleStep } from '../../../app/_create/schedule.ts';
import { resolveSchedule } from '../../../lib/contracts/plan.ts';

const faster = resolveSchedule('faster', 50).keySteps;

describe('editing a schedule', () => {
  it('switches one step and keeps the order', () => {
    expect(toggleStep(faster, 40, 50)).toEqual({ keySteps: [0, 1, 2, 3, 5, 10, 15, 25, 35, 40] });
    expect(toggleStep(faster, 10, 50)).toEqual({ keySteps: [0, 1, 2, 3, 5, 15, 25, 35] });
  });

  it('is the named plan again when it has the same steps', () => {
    const changed = toggleStep(faster, 40, 50);
    expect(toggleStep((changed as { keySteps: number[] }).keySteps, 40, 50)).toBe('faster');
    expect(
      nameOf(
        Array.from({ length: 50 }, (_, i) => i),
        50,
      ),
    ).toBe('exact');
  });

  it('never lets the first step go', () => {
    expect(toggleStep([0, 7], 0, 50)).toEqual({ keySteps: [0, 7] });
  });

  it('undoes itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 60 }), fc.nat(), fc.array(fc.nat()), (steps, step, keys) => {
        const keySteps = resolveSchedule(
          { keySteps: [0, ...keys.map((key) => key % steps)] },
          steps,
        ).keySteps;
        const once = resolveSchedule(toggleStep(keySteps, step % steps, steps), steps).keySteps;
        expect(resolveSchedule(toggleStep(once, step % steps, steps), steps).keySteps).toEqual(keySteps);
      }),
    );
  });

  it('counts the steps that a picture takes the place of', () => {
    const drawn = resolveSchedule('faster', 50, 12);
    const changed = toggleStep(drawn.keySteps, 30, 38, 12);
    expect(resolveSchedule(changed, 50, 12).keySteps).toEqual([...drawn.keySteps, 30].sort((a, b) => a - b));
    expect(toggleStep(resolveSchedule(changed, 50, 12).keySteps, 30, 38, 12)).toBe('faster');
  });
});
