import { EncoreError } from '../../contracts/errors.ts';
import { concatRows, reshaped, rows } from '../tensor/arithmetic.ts';
import { noiseSource, type NoiseKind, type NoiseSource } from '../tensor/random.ts';
import type { Shape, Tensor } from '../tensor/tensor.ts';

type Float32 = Tensor<'float32'>;

/**
 * The noise of a request: one source for each picture, seeded seed + i modulo 2^32, from which everything that is random
 * about the picture is drawn in turn. A picture drawn alone gets the same numbers.
 */
export class PictureNoise {
  private readonly sources: readonly NoiseSource[];

  constructor(kind: NoiseKind, seed: number, count: number) {
    this.sources = Array.from({ length: count }, (_, i) => noiseSource(kind, (seed + i) % 2 ** 32));
  }

  /** The next normals of pictures `first` to `first + count`, [count, ...shape]. */
  draw(first: number, count: number, shape: Shape): Float32 {
    const sources = this.sources.slice(first, first + count);
    return concatRows(sources.map((source) => source.normal([1, ...shape])));
  }
}

/** Noise of evaluation `index` for pictures `first` to `first + count` out of a stack [steps, B, C, h, w]. */
export function noiseOfStack(stack: Float32, index: number, first: number, count: number): Float32 {
  const [steps = 0] = stack.shape;
  if (index >= steps) {
    throw new EncoreError('invalid_tensor', `noise holds ${steps} steps, step ${index} asks for one more`);
  }
  const step = reshaped(rows(stack, index, index + 1), stack.shape.slice(1));
  return rows(step, first, first + count);
}
