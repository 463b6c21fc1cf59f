import { expect, test } from 'vitest';
import { spacedTimesteps } from '../../../lib/engine/schedulers/noise-schedule.ts';
import { roundHalfEven } from '../../../lib/engine/tensor/rounding.ts';

test('halves go to the even neighbour, as in numpy', () => {
  expect([0.5, 1.5, 2.5, 2.4999, -0.5].map(roundHalfEven)).toEqual([0, 2, 2, 2, 0]);
});

test('trailing has as many timesteps as asked for, even where numpy’s arange has one more', () => {
  for (let steps = 1; steps <= 1000; steps++) {
    const timesteps = spacedTimesteps('trailing', 1000, steps, 0);
    expect(timesteps).toHaveLength(steps);
    expect(timesteps.at(-1)).toBeGreaterThanOrEqual(0);
  }
  expect(spacedTimesteps('trailing', 1000, 61, 0).slice(0, 3)).toEqual([999, 983, 966]);
});

test('leading skips by a whole stride and adds its offset', () => {
  expect(spacedTimesteps('leading', 1000, 3, 1)).toEqual([667, 334, 1]);
  expect(spacedTimesteps('linspace', 1000, 3, 1)).toEqual([999, 500, 0]);
});
