import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnSize, sizePresets } from '../../app/_lib/sizes.ts';
import { limits } from '../../lib/contracts/generation.ts';

describe('size presets', () => {
  it('are what people of each model know', () => {
    expect(sizePresets({ width: 128, height: 128 }).map(({ width, height }) => [width, height])).toEqual([
      [128, 128],
      [128, 192],
      [192, 128],
    ]);
    expect(sizePresets({ width: 512, height: 512 }).map(({ width, height }) => [width, height])).toEqual([
      [512, 512],
      [448, 640],
      [640, 448],
    ]);
  });

  it('always contain the model’s own size, within the limits, and no two alike', () => {
    const side = fc.integer({ min: limits.minSide / 8, max: limits.maxSide / 8 }).map((eighth) => eighth * 8);
    fc.assert(
      fc.property(side, side, (width, height) => {
        const presets = sizePresets({ width, height });
        expect(presets).toContainEqual(expect.objectContaining({ width, height }));
        expect(new Set(presets.map((preset) => `${preset.width}x${preset.height}`)).size).toBe(
          presets.length,
        );
        for (const preset of presets) {
          expect(preset.width % limits.sideMultiple).toBe(0);
          expect(Math.max(preset.width, preset.height)).toBeLessThanOrEqual(limits.maxSide);
          expect(Math.min(preset.width, preset.height)).toBeGreaterThanOrEqual(limits.minSide);
        }
      }),
    );
  });
});

describe('the size of a draft', () => {
  const model = { defaults: { width: 128, height: 128 }, sideMultiple: 16 };

  it('is the model’s, or that of the picture it starts from', () => {
    expect(drawnSize({}, model)).toEqual({ width: 128, height: 128 });
    const start = { picture: { width: 200, height: 150 } };
    expect(drawnSize({ start }, model)).toEqual({ width: 192, height: 144 });
  });

  it('is what was chosen, side by side', () => {
    const start = { picture: { width: 200, height: 150 } };
    expect(drawnSize({ start, width: 256 }, model)).toEqual({ width: 256, height: 144 });
  });
});
