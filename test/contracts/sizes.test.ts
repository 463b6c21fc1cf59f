import { expect, test } from 'vitest';
import { firstStep } from '../../lib/contracts/plan.ts';
import { borderedSize, upscaledSize } from '../../lib/contracts/sizes.ts';

const size = { width: 640, height: 360 };

test('an upscaled picture has sides that the model takes', () => {
  expect(upscaledSize(size, 1.5, 8)).toEqual({ width: 960, height: 544 });
  expect(upscaledSize(size, 1.5, 64)).toEqual({ width: 960, height: 512 });
});

test('a border is added on its sides', () => {
  expect(borderedSize(size, { left: 8, top: 16, right: 0, bottom: 32 })).toEqual({ width: 648, height: 408 });
});

test('what gets too large is refused with the size it would have', () => {
  expect(() => upscaledSize(size, 4, 8)).toThrow(
    expect.objectContaining({
      code: 'invalid_parameter',
      message: 'upscaling 640x360 by 4 gives 2560x1440: sides may have 2048 pixels',
    }),
  );
  expect(() => borderedSize(size, { left: 0, top: 1000, right: 0, bottom: 1000 })).toThrow(/640x2360/);
});

test('a strength counts steps as diffusers does, and has to leave one', () => {
  expect([1, 0.75, 0.35, 0.05].map((strength) => firstStep(20, strength))).toEqual([0, 5, 13, 19]);
  for (const strength of [0, 0.04, -1, 2]) {
    expect(() => firstStep(20, strength)).toThrow(
      expect.objectContaining({
        code: 'invalid_parameter',
        message: expect.stringContaining('20 steps') as string,
      }),
    );
  }
});
