import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planSchema, type Plan } from '../../lib/contracts/generation.ts';
import {
  DEFAULT_INJECTION,
  defaultInjection,
  MAX_STEPS_WITHOUT_PROPAGATION,
  planText,
  readPlan,
  resolveSchedule,
} from '../../lib/contracts/plan.ts';

const keys = (plan: Plan, steps: number, first = 0) => resolveSchedule(plan, steps, first).keySteps;

test('the paper’s plan at 50 steps, its number of keys at 20, and what the bundled model is drawn with', () => {
  expect(keys('faster', 50)).toEqual([0, 1, 2, 3, 5, 10, 15, 25, 35]);
  expect(keys('faster', 20)).toEqual([0, 1, 2, 4, 6, 10, 14]);
  expect(keys('faster', 25)).toEqual([0, 1, 2, 3, 5, 8, 13, 18]);
  expect(keys('fastest', 50)).toEqual([0, 4, 10, 18, 28, 38]);
  expect(keys('fastest', 20)).toEqual([0, 2, 4, 7, 11, 15]);
});

test('exact, uniform and listed plans', () => {
  expect(resolveSchedule('exact', 3)).toEqual({ keySteps: [0, 1, 2], notice: null });
  expect(keys({ every: 4 }, 10)).toEqual([0, 4, 8]);
  expect(keys({ keySteps: [5, 0, 5, 2] }, 10)).toEqual([0, 2, 5]);
});

test('a list without step 0 gets it, and says so', () => {
  expect(resolveSchedule({ keySteps: [4, 2] }, 10)).toEqual({
    keySteps: [0, 2, 4],
    notice: expect.stringContaining('first step') as string,
  });
});

test('a run that starts later starts its plan there; a list names steps of the whole run', () => {
  expect(keys('faster', 100, 50)).toEqual(keys('faster', 50));
  expect(keys({ every: 4 }, 20, 10)).toEqual([0, 4, 8]);
  expect(resolveSchedule({ keySteps: [0, 12, 15] }, 20, 10)).toEqual({ keySteps: [0, 2, 5], notice: null });
  expect(resolveSchedule({ keySteps: [10, 15] }, 20, 10)).toEqual({ keySteps: [0, 5], notice: null });
  expect(resolveSchedule({ keySteps: [11] }, 20, 10).notice).toContain('first step');
});

test('8 steps or fewer run exactly, and say so', () => {
  const short = resolveSchedule('faster', MAX_STEPS_WITHOUT_PROPAGATION);
  expect(short.keySteps).toHaveLength(MAX_STEPS_WITHOUT_PROPAGATION);
  expect(short.notice).toContain('With 8 steps there is nothing to propagate');
  expect(keys('faster', 9).length).toBeLessThan(9);
  expect(keys('faster', 50, 42)).toHaveLength(8);
  expect(resolveSchedule('exact', 4).notice).toBeNull();
});

test('noise is injected by default only where something was propagated', () => {
  expect(defaultInjection('faster', 50)).toBe(DEFAULT_INJECTION);
  expect(defaultInjection('faster', 8)).toBe(0);
  expect(defaultInjection({ every: 1 }, 50)).toBe(0);
});

test('a step that the run does not have is refused', () => {
  expect(() => keys({ keySteps: [0, 10] }, 10)).toThrow(
    expect.objectContaining({
      code: 'invalid_parameter',
      message: expect.stringContaining('step 10 does not exist') as string,
    }),
  );
});

test('a plan in words is read back', () => {
  const plans = fc.oneof(
    fc.constantFrom('exact' as const, 'faster' as const, 'fastest' as const),
    fc.record({ every: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ keySteps: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 20 }) }),
  );
  fc.assert(
    fc.property(plans, (plan) => {
      expect(readPlan(planText(plan))).toEqual(planSchema.parse(plan));
    }),
  );
  expect(readPlan('0,1, 2 5')).toEqual({ keySteps: [0, 1, 2, 5] });
});

test.each(['', 'quick', 'uniform:', 'uniform:x', '0,', '-1', '1.5', 'exact 9/50'])(
  '%j is no plan',
  (text) => {
    expect(readPlan(text)).toBeUndefined();
  },
);
