import { EncoreError } from '../../contracts/errors.ts';
import { concatRows, reshaped, rows } from '../tensor/arithmetic.ts';
import { noiseSource, type NoiseKind, type NoiseSource } from '../tensor/random.ts';
import type { Shape, Tensor } from '../tensor/tensor.ts';

type Float32 = Tensor<'float32'>;

/**
 * The noise of some pictures of a batch: one source each, seeded seed + i modulo 2^32, which draws the initial latents
 * first and the noise of stochastic schedulers after them. A picture drawn alone gets the same numbers.
 */
export class PictureNoise {
  private readonly sources: readonly NoiseSource[];
  /** Of one picture, [C, h, w]. */
  private readonly shape: Shape;

  constructor(kind: NoiseKind, seed: number, first: number, count: number, shape: Shape) {
    this.shape = shape;
    this.sources = Array.from({ length: count }, (_, i) => noiseSource(kind, (seed + first + i) % 2 ** 32));
  }

  /** [B, C, h, w] */
  draw(): Float32 {
    return concatRows(this.sources.map((source) => source.normal([1, ...this.shape])));
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
