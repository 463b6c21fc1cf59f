import { EncoreError } from '../../contracts/errors.ts';
import type { LatentDistribution } from '../networks/vae/autoencoder.ts';
import type { AutoencoderConfig } from '../networks/vae/config.ts';
import { mapped } from '../tensor/arithmetic.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { Batch } from './course.ts';
import type { LoadedModel } from './loaded-model.ts';
import { repeatRow } from './pictures.ts';
import type { GenerateInput, Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/** What a task that starts from a picture makes latents of, for each batch. */
export interface Original {
  /** Multiply-accumulates for each of the request's pictures. */
  readonly cost: number;
  /**
   * Latents [count, C, h, w] as the denoiser reads them. A variational autoencoder's are drawn, anew for each picture and
   * from its own generator (`latent_dist.sample` of diffusers).
   */
  latents(batch: Batch): Promise<Float32>;
}

/** Pixels [1, 3, H, W] in -1 .. 1, encoded once, whatever the number of batches. */
export function originalOf({ autoencoder }: LoadedModel, pixels: Float32, count: number): Original {
  const { scale } = autoencoder.config;
  const [, , height = 0, width = 0] = pixels.shape;
  const cost = autoencoder.encodeCost(height / scale, width / scale);
  let distribution: Promise<LatentDistribution> | undefined;
  return {
    cost: cost / count,
    async latents({ meter, noise, count: batch }) {
      distribution ??= meter.call('vae', 1, cost, () => autoencoder.encode(pixels));
      const { mean, logVariance } = await distribution;
      const repeated = {
        mean: repeatRow(mean, batch),
        logVariance: logVariance && repeatRow(logVariance, batch),
      };
      return drawn(repeated, noise, autoencoder.config);
    },
  };
}

/** A sample of the distribution, scaled for the denoiser; its mean where there is no variance. */
export function drawn(
  { mean, logVariance }: LatentDistribution,
  noise: Batch['noise'],
  { scalingFactor, shiftFactor }: AutoencoderConfig,
): Float32 {
  const scaled = (x: Float32) => mapped(x, (value) => (value - shiftFactor) * scalingFactor);
  if (logVariance === null) return scaled(mean);
  const epsilon = noise(mean.shape.slice(1));
  // diffusers: DiagonalGaussianDistribution clamps the logarithm to -30 .. 20.
  const sample = mean.data.map((value, i) => {
    const deviation = Math.exp(0.5 * Math.min(Math.max(logVariance.data[i]!, -30), 20));
    return value + deviation * epsilon.data[i]!;
  });
  return scaled(float32(mean.shape, sample));
}

/** Pixels [1, 3, H, W] in -1 .. 1. */
export function pixelsOf({ width, height, data }: Picture): Float32 {
  const area = width * height;
  const pixels = new Float32Array(3 * area);
  for (let i = 0; i < 3 * area; i++) pixels[(i % 3) * area + Math.floor(i / 3)] = (2 * data[i]!) / 255 - 1;
  return float32([1, 3, height, width], pixels);
}

/** The request's picture. Throws `invalid_parameter` where it is missing or has another size than the request. */
export function expectImage({ image, task, width, height }: GenerateInput): Picture {
  if (image === undefined) throw new EncoreError('invalid_parameter', `${task} needs a picture: image`);
  expectSize('image', image, { width, height });
  return image;
}

export function expectSize(
  name: string,
  picture: { width: number; height: number },
  { width, height }: { width: number; height: number },
): void {
  if (picture.width === width && picture.height === height) return;
  throw new EncoreError(
    'invalid_parameter',
    `${name} is ${picture.width}x${picture.height}, the request ${width}x${height}`,
    { errors: [{ path: name, message: 'must have the size that is drawn' }] },
  );
}
