import { expect, test } from 'vitest';
import { noiseOfStack, PictureNoise } from '../../../lib/engine/tasks/picture-noise.ts';
import { noiseSource } from '../../../lib/engine/tensor/random.ts';
import { rows } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32 } from '../../../lib/engine/tensor/tensor.ts';

test.each(['philox', 'torch-cpu'] as const)(
  '%s: picture i of a batch gets what seed + i gets alone, draw after draw, of whatever shape',
  (kind) => {
    const noise = new PictureNoise(kind, 5, 4);
    const draws = [noise.draw(1, 3, [4, 2, 2]), noise.draw(1, 3, [4, 4, 4])];
    for (let i = 0; i < 3; i++) {
      const alone = noiseSource(kind, 6 + i);
      for (const draw of draws) {
        expect(rows(draw, i, i + 1).data).toEqual(alone.normal([1, ...draw.shape.slice(1)]).data);
      }
    }
    expect(draws[0]!.shape).toEqual([3, 4, 2, 2]);
    expect(noise.draw(0, 1, [4, 2, 2]).data).toEqual(noiseSource(kind, 5).normal([1, 4, 2, 2]).data);
  },
);

test('seeds wrap at 32 bits', () => {
  const wrapped = new PictureNoise('philox', 0xffff_ffff, 2).draw(1, 1, [2]);
  expect(wrapped.data).toEqual(new PictureNoise('philox', 0, 1).draw(0, 1, [2]).data);
});

test('given noise is taken step by step and picture by picture, and runs out by name', () => {
  const stack = float32([2, 3, 1], Float32Array.of(0, 1, 2, 3, 4, 5));
  expect(noiseOfStack(stack, 1, 1, 2)).toMatchObject({ shape: [2, 1], data: Float32Array.of(4, 5) });
  expect(() => noiseOfStack(stack, 2, 0, 1)).toThrow(expect.objectContaining({ code: 'invalid_tensor' }));
});
