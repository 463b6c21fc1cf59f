import { limits } from '../../contracts/generation.ts';
import { defaultInjection, firstStep } from '../../contracts/plan.ts';
import { upscaledSize } from '../../contracts/sizes.ts';
import { upscaleSchema, type Upscale } from '../../contracts/task-inputs.ts';
import { concatRows, mapped, rows } from '../tensor/arithmetic.ts';
import type { LatentDistribution } from '../networks/vae/autoencoder.ts';
import { resampled } from '../tensor/resample.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Batch, Course, Task } from './course.ts';
import { expectLatentsAlone, latentSize, lcm, type LatentSize } from './latent-size.ts';
import type { LoadedModel } from './loaded-model.ts';
import { drawn, expectImage, originalOf, pixelsOf } from './original.ts';
import { unscale } from './previewer.ts';
import type { GenerateInput } from './task.ts';

type Float32 = Tensor<'float32'>;

/** A picture enlarged and drawn again at that size: image to image whose latents or pixels were enlarged before. */
export const upscale: Task = {
  courses(model, input) {
    expectLatentsAlone(model);
    const size = latentSize(model, input);
    const image = pixelsOf(expectImage(input));
    const settings = input.upscale ?? upscaleSchema.parse({});
    const target = targetOf(model, size, settings);
    const { scale } = model.autoencoder.config;
    const enlarged =
      settings.method === 'image'
        ? clamped(resampled(image, target.height * scale, target.width * scale, 'lanczos3'))
        : image;
    const original = originalOf(model, enlarged, size.count);
    return [
      legOf(input, settings, target, original.cost, async (batch) =>
        settings.method === 'image'
          ? original.latents(batch)
          : resampled(await original.latents(batch), target.height, target.width, 'bilinear'),
      ),
    ];
  },
};

/** The second leg that a request with `upscale` has after its own (high-res fix); none where it has not. */
export function secondLeg(model: LoadedModel, input: GenerateInput, size: LatentSize): Course[] {
  const settings = input.upscale;
  if (settings === undefined) return [];
  const target = targetOf(model, size, settings);
  const { height, width } = target;
  const { autoencoder } = model;
  if (settings.method === 'latent') {
    return [
      legOf(input, settings, target, 0, ({ previous }) =>
        Promise.resolve(resampled(previous!, height, width, 'bilinear')),
      ),
    ];
  }
  const costs = {
    decode: autoencoder.decodeCost(size.height, size.width),
    encode: autoencoder.encodeCost(height, width),
  };
  const { scale } = autoencoder.config;
  const throughPixels = async ({ previous, meter, checkpoint, noise, count }: Batch) => {
    const distributions: LatentDistribution[] = [];
    for (let i = 0; i < count; i++) {
      checkpoint();
      const small = unscale(rows(previous!, i, i + 1), autoencoder);
      const pixels = await meter.call('vae', 1, costs.decode, () => autoencoder.decode(small));
      const large = clamped(resampled(pixels, height * scale, width * scale, 'lanczos3'));
      checkpoint();
      distributions.push(await meter.call('vae', 1, costs.encode, () => autoencoder.encode(large)));
    }
    return drawn(joined(distributions), noise, autoencoder.config);
  };
  return [legOf(input, settings, target, costs.decode + costs.encode, throughPixels)];
}

function legOf(
  input: GenerateInput,
  { strength }: Upscale,
  { height, width }: { height: number; width: number },
  cost: number,
  enlarged: (batch: Batch) => Promise<Float32>,
): Course {
  const { steps, plan, injection } = input;
  const first = firstStep(steps, strength);
  return {
    ...{ height, width, first, cost },
    // So short a leg may have every step computed though the first had not: then there is nothing to make up for.
    injection: defaultInjection(plan, steps, first) === 0 ? 0 : injection,
    async start(batch) {
      const original = await enlarged(batch);
      return { latents: batch.run.addNoise(original, batch.noise(original.shape.slice(1))) };
    },
  };
}

/** Size in latents. Throws `invalid_parameter` for one that is too large. */
function targetOf(
  { autoencoder }: LoadedModel,
  size: { height: number; width: number },
  { factor }: Upscale,
): { height: number; width: number } {
  const { scale } = autoencoder.config;
  const pixels = { width: size.width * scale, height: size.height * scale };
  const { width, height } = upscaledSize(pixels, factor, lcm(limits.sideMultiple, scale));
  return { width: width / scale, height: height / scale };
}

function joined(distributions: readonly LatentDistribution[]): LatentDistribution {
  const variances = distributions.flatMap(({ logVariance }) => (logVariance === null ? [] : [logVariance]));
  return {
    mean: concatRows(distributions.map(({ mean }) => mean)),
    logVariance: variances.length === 0 ? null : concatRows(variances),
  };
}

/** Lanczos overshoots at edges. */
function clamped(pixels: Float32): Float32 {
  return mapped(pixels, (value) => Math.min(Math.max(value, -1), 1));
}
