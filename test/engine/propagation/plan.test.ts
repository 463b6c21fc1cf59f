import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveSchedule } from '../../../lib/contracts/plan.ts';
import { type DecodeWidth, spansOf } from '../../../lib/engine/propagation/plan.ts';

const lengths = (steps: number, width: DecodeWidth) =>
  spansOf(resolveSchedule('faster', steps).keySteps, steps, width).map(({ calls }) =>
    calls.map((c) => c.length).join('+'),
  );

test('the paper’s spans at 50 steps, whole, by five, and with the rest singly', () => {
  expect(lengths(50, { steps: 50, rest: 'together' })).toEqual([
    '1',
    '1',
    '1',
    '2',
    '5',
    '5',
    '10',
    '10',
    '15',
  ]);
  expect(lengths(50, { steps: 4, rest: 'together' }).slice(3)).toEqual([
    '2',
    '4+1',
    '4+1',
    '4+4+2',
    '4+4+2',
    '4+4+4+3',
  ]);
  expect(lengths(50, { steps: 5, rest: 'singly' }).slice(3)).toEqual([
    '1+1',
    '5',
    '5',
    '5+5',
    '5+5',
    '5+5+5',
  ]);
});

test('every step is decoded once, in order, by the last key step before it, in calls no wider than asked', () => {
  const plan = fc.oneof(
    fc.constantFrom('exact' as const, 'faster' as const, 'fastest' as const),
    fc.record({ every: fc.integer({ min: 1, max: 100 }) }),
    fc.array(fc.nat({ max: 8 }), { minLength: 1 }).map((keySteps) => ({ keySteps })),
  );
  const width = fc.record({
    steps: fc.integer({ min: 1, max: 60 }),
    rest: fc.constantFrom('together' as const, 'singly' as const),
  });
  fc.assert(
    fc.property(plan, fc.integer({ min: 9, max: 300 }), fc.nat(), width, (chosen, steps, offset, cut) => {
      const first = offset % steps;
      const evaluations = steps - first;
      const { keySteps } = resolveSchedule(chosen, steps, first);
      const spans = spansOf(keySteps, evaluations, cut);
      const decoded = spans.flatMap(({ calls }) => calls.flat());
      expect(decoded).toEqual(Array.from({ length: evaluations }, (_, i) => i));
      for (const { key, calls } of spans) {
        for (const call of calls) expect(call.length).toBeLessThanOrEqual(cut.steps);
        for (const step of calls.flat()) expect(Math.max(...keySteps.filter((k) => k <= step))).toBe(key);
      }
      if (cut.rest === 'singly') {
        const sizes = new Set(spans.flatMap(({ calls }) => calls.map((call) => call.length)));
        expect(sizes.size).toBeLessThanOrEqual(2);
      }
    }),
  );
});
