import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan } from '../../../lib/contracts/generation.ts';
import { exactUpTo, resolvePlan, spansOf } from '../../../lib/engine/propagation/plan.ts';

const keys = (plan: Plan, steps: number, first = 0) => resolvePlan(plan, { steps, first }).keySteps;

test('the paper’s plan at 50 steps, and its number of keys at 20', () => {
  expect(keys('faster', 50)).toEqual([0, 1, 2, 3, 5, 10, 15, 25, 35]);
  expect(spansOf(keys('faster', 50), 50).map(({ steps }) => steps.length)).toEqual([
    1, 1, 1, 2, 5, 5, 10, 10, 15,
  ]);
  expect(keys('faster', 20)).toHaveLength(7);
  expect(keys('fastest', 50)).toEqual([0, 1, 2, 5, 12, 25]);
});

test('exact, uniform and listed plans', () => {
  expect(resolvePlan('exact', { steps: 3 })).toEqual({ keySteps: [0, 1, 2], exact: true, notices: [] });
  expect(keys({ every: 4 }, 10)).toEqual([0, 4, 8]);
  expect(resolvePlan({ every: 1 }, { steps: 10 }).exact).toBe(true);
  expect(keys({ keySteps: [5, 0, 5, 2] }, 10)).toEqual([0, 2, 5]);
});

test('a run that starts later keeps the key steps of the same noise, and its first step is key', () => {
  expect(keys('faster', 50, 20)).toEqual([0, 5, 15]);
  expect(keys('faster', 50, 15)).toEqual([0, 10, 20]);
  expect(keys({ every: 4 }, 20, 10)).toEqual([0, 2, 6]);
});

test('8 steps or fewer run exactly, and say so', () => {
  const plan = resolvePlan('faster', { steps: exactUpTo });
  expect(plan.keySteps).toHaveLength(exactUpTo);
  expect(plan.exact).toBe(true);
  expect(plan.notices.join()).toContain('8 steps run exactly');
  expect(resolvePlan('faster', { steps: 9 }).exact).toBe(false);
  expect(resolvePlan('faster', { steps: 50, first: 42 }).exact).toBe(true);
  expect(resolvePlan('exact', { steps: 4 }).notices).toEqual([]);
});

test.each([
  [{ keySteps: [1, 2] }, /1, 2 do not begin with 0/],
  [{ keySteps: [0, 10] }, /key step 10 does not exist in a run of 10/],
] as [Plan, RegExp][])('%j is refused', (plan, message) => {
  expect(() => keys(plan, 10)).toThrow(
    expect.objectContaining({ code: 'invalid_parameter', message: expect.stringMatching(message) as string }),
  );
});

test('every step is decoded once, by the last key step before it', () => {
  const plan = fc.oneof(
    fc.constantFrom('exact' as const, 'faster' as const, 'fastest' as const),
    fc.record({ every: fc.integer({ min: 1, max: 100 }) }),
    fc.array(fc.nat({ max: 8 }), { minLength: 1 }).map((rest) => ({ keySteps: [0, ...rest] })),
  );
  fc.assert(
    fc.property(plan, fc.integer({ min: 9, max: 1000 }), fc.nat(), (chosen, steps, offset) => {
      const first = offset % steps;
      const evaluations = steps - first;
      const { keySteps, exact } = resolvePlan(chosen, { steps, first });
      const spans = spansOf(keySteps, evaluations);
      expect(spans.flatMap((span) => span.steps)).toEqual(Array.from({ length: evaluations }, (_, i) => i));
      for (const { key, steps: decoded } of spans) {
        expect(decoded[0]).toBe(key);
        for (const step of decoded) expect(Math.max(...keySteps.filter((k) => k <= step))).toBe(key);
      }
      expect(keySteps[0]).toBe(0);
      expect(exact).toBe(keySteps.length === evaluations);
    }),
  );
});
