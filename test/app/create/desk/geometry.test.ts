import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moveMarquee, startMarquee } from '../../../../app/_create/desk/marquee.ts';
import { BORDER_STEP, MAX_BORDER, snapBorder, viewOf } from '../../../../app/_lib/borders.ts';
import { boxOf } from '../../../../app/_lib/sketch/sketch.ts';

describe('the rectangle of the keyboard', () => {
  it('begins in the middle', () => {
    expect(startMarquee({ width: 900, height: 600 })).toEqual({ x: 300, y: 200, width: 300, height: 200 });
  });

  it('stays within the picture, whatever is pressed, and keeps a size', () => {
    const keys = fc.constantFrom('ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown');
    const presses = fc.array(fc.tuple(keys, fc.boolean()), { maxLength: 80 });
    fc.assert(
      fc.property(presses, fc.integer({ min: 64, max: 512 }), (pressed, height) => {
        const box = boxOf(512, height);
        const end = pressed.reduce(
          (marquee, [key, resize]) => moveMarquee(marquee, key, resize, box) ?? marquee,
          startMarquee(box),
        );
        expect(end.x).toBeGreaterThanOrEqual(0);
        expect(end.y).toBeGreaterThanOrEqual(0);
        expect(end.x + end.width).toBeLessThanOrEqual(box.width + 1e-6);
        expect(end.y + end.height).toBeLessThanOrEqual(box.height + 1e-6);
        expect(Math.min(end.width, end.height)).toBeGreaterThan(0);
      }),
    );
  });

  it('leaves other keys alone', () => {
    const box = boxOf(1, 1);
    expect(moveMarquee(startMarquee(box), 'a', false, box)).toBeNull();
  });
});

describe('borders', () => {
  it('come in the steps of the contract', () => {
    expect([-3, 3, 5, 12, 5000].map(snapBorder)).toEqual([0, 0, 8, 16, MAX_BORDER]);
    fc.assert(fc.property(fc.double({ noNaN: true }), (pixels) => snapBorder(pixels) % BORDER_STEP === 0));
  });

  it('are shown with room to pull into, and whole when they are larger', () => {
    const picture = { width: 100, height: 60 };
    const none = { left: 0, top: 0, right: 0, bottom: 0 };
    expect(viewOf(picture, none)).toEqual({ width: 200, height: 160, x: 50, y: 50 });
    expect(viewOf(picture, { ...none, left: 40 })).toEqual(viewOf(picture, none));
    expect(viewOf(picture, { ...none, top: 88 })).toMatchObject({ height: 236, y: 88 });
  });
});
