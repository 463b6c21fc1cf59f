import { describe, expect, it } from 'vitest';
import { scheduleOf, scheduleOfParams } from '../../app/_lib/run-schedule.ts';
import { resolveSchedule } from '../../lib/contracts/plan.ts';
import { exampleGeneration } from './support.ts';

const run = { task: 'text-to-image', plan: 'faster', steps: 50 } as const;

describe('the steps that are drawn', () => {
  it('are all of them from words', () => {
    expect(scheduleOf(run)).toEqual({ first: 0, steps: 50, keySteps: [0, 1, 2, 3, 5, 10, 15, 25, 35] });
    expect(scheduleOf({ ...run, strength: 0.5 }).first).toBe(0);
  });

  it('begin later from a picture, where the plan begins anew', () => {
    const late = { first: 25, steps: 25, keySteps: resolveSchedule('faster', 50, 25).keySteps };
    expect(scheduleOf({ ...run, task: 'image-to-image', strength: 0.5 })).toEqual(late);
    expect(scheduleOf({ ...run, task: 'image-to-image' }).steps).toBe(37);
    expect(scheduleOf({ ...run, task: 'inpaint' }).steps).toBe(50);
    const upscale = { factor: 2, method: 'image', strength: 0.5 } as const;
    expect(scheduleOf({ ...run, task: 'upscale', upscale })).toEqual(late);
  });

  it('are one at least', () => {
    expect(scheduleOf({ ...run, task: 'image-to-image', strength: 0 }).steps).toBe(1);
  });

  it('are those of the receipt, once there is one', () => {
    const { params } = exampleGeneration();
    expect(scheduleOfParams(params, { keySteps: [0, 4], skippedSteps: 6 })).toEqual({
      first: 6,
      steps: 19,
      keySteps: [0, 4],
    });
    expect(scheduleOfParams(params, null)).toEqual(scheduleOf(params));
  });
});
