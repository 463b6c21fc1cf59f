import { EncoreError } from '../../contracts/errors.ts';
import { limits } from '../../contracts/generation.ts';
import { unetInputs } from '../../contracts/unet-inputs.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { GenerateInput } from './task.ts';

export interface LatentSize {
  readonly height: number;
  readonly width: number;
  /** Pictures. */
  readonly count: number;
}

/**
 * Size in latents and number of pictures: from the given latents where there are any. Throws `invalid_parameter` and
 * `invalid_tensor`.
 */
export function latentSize({ denoiser, autoencoder }: LoadedModel, input: GenerateInput): LatentSize {
  const { latents, noise } = input;
  const { outChannels } = denoiser;
  if (latents !== undefined) {
    const [count = 0, channels = 0, height = 0, width = 0] = latents.shape;
    if (latents.shape.length !== 4 || channels !== outChannels || count * height * width === 0) {
      throw new EncoreError(
        'invalid_tensor',
        `latents must be [B, ${outChannels}, h, w], got [${latents.shape.join(', ')}]`,
      );
    }
    const { scale } = autoencoder.config;
    if (input.image !== undefined && (height * scale !== input.height || width * scale !== input.width)) {
      throw new EncoreError(
        'invalid_tensor',
        `latents [${latents.shape.join(', ')}] are of ${width * scale}x${height * scale} pixels, the picture is ${input.width}x${input.height}`,
      );
    }
    checkNoise(noise, latents.shape);
    return { height, width, count };
  }
  const { scale } = autoencoder.config;
  const multiple = lcm(limits.sideMultiple, scale);
  for (const [name, side] of [
    ['width', input.width],
    ['height', input.height],
  ] as const) {
    if (Number.isInteger(side) && side >= multiple && side % multiple === 0) continue;
    const nearest = Math.max(Math.round(side / multiple), 1) * multiple;
    throw new EncoreError('invalid_parameter', `${name} must be a multiple of ${multiple}, got ${side}`, {
      remedy: `The nearest is ${nearest}.`,
      errors: [{ path: name, message: `must be a multiple of ${multiple}` }],
    });
  }
  const size = { height: input.height / scale, width: input.width / scale, count: input.count };
  checkNoise(noise, [size.count, outChannels, size.height, size.width]);
  return size;
}

/** Throws `unsupported_task` for a UNet that reads more than latents. */
export function expectLatentsAlone({ name, denoiser }: LoadedModel): void {
  const { inChannels, outChannels } = denoiser;
  if (unetInputs(name, inChannels, outChannels) === 'latents') return;
  throw new EncoreError(
    'unsupported_task',
    `the UNet of ${name} reads ${inChannels} channels and writes ${outChannels}: it is made for inpainting`,
    { remedy: 'Draw with the task inpaint, or choose another model.' },
  );
}

function checkNoise(noise: Tensor | undefined, shape: readonly number[]): void {
  if (noise === undefined) return;
  if (noise.shape.slice(1).join() === shape.join()) return;
  throw new EncoreError(
    'invalid_tensor',
    `noise must be [steps, ${shape.join(', ')}], got [${noise.shape.join(', ')}]`,
  );
}

/** Least common multiple. */
export function lcm(a: number, b: number): number {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  return (a * b) / gcd(a, b);
}
