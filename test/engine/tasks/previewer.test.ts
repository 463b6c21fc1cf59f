import { expect, test } from 'vitest';
import { colourLatents } from '../../../lib/engine/tasks/latent-colours.ts';
import { picturesOf } from '../../../lib/engine/tasks/pictures.ts';
import { PreviewBudget } from '../../../lib/engine/tasks/previewer.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';

test('previews take a tenth of the run, the first one left out', async () => {
  let now = 0;
  const budget = new PreviewBudget(() => now);
  const drawn: number[] = [];
  for (let step = 0; step < 40; step++) {
    await budget.spend(async () => {
      drawn.push(step);
      now += drawn.length === 1 ? 2000 : 100;
    });
    now += 100;
  }
  expect(drawn.slice(0, 2)).toEqual([0, 1]);
  expect(drawn.length).toBeGreaterThan(3);
  expect((drawn.length - 1) * 100).toBeLessThanOrEqual(0.1 * now + 100);
});

test('latents are coloured cell by cell and clipped', () => {
  const latents = float32([1, 2, 1, 2], Float32Array.of(1, 0, 0, 1));
  const colours = [
    [1, 0, 0],
    [0, -1, 0],
    [9, 9, 0],
  ];
  expect(colourLatents(latents, colours)).toEqual({
    width: 2,
    height: 1,
    data: Uint8Array.of(255, 128, 255, 128, 0, 255),
  });
});

test('pixels are interleaved and rounded as diffusers does', () => {
  const pixels = float32([1, 3, 1, 2], Float32Array.of(-1, 1, 0, 2, -3, 0.5));
  expect(picturesOf(pixels)).toEqual([
    { width: 2, height: 1, data: Uint8Array.of(0, 128, 0, 255, 255, 191) },
  ]);
});
