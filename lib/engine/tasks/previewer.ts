import type { Autoencoder } from '../networks/vae/autoencoder.ts';
import { rows, weightedSum } from '../tensor/arithmetic.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import { colourLatents, fitLatentColours, type LatentColours } from './latent-colours.ts';
import { picturesOf } from './pictures.ts';
import type { Picture } from './task.ts';

/** Share of a run's time that its previews may take, the first left out. */
const share = 0.1;

/**
 * Small pictures of a run under way, from the x_0 that the predictions point to. A tiny autoencoder simply decodes; the
 * decoder of AutoencoderKL costs as much as several steps, so there latents are coloured by a fitted affine map.
 */
export class Previewer {
  private readonly autoencoder: Autoencoder;
  private colours: Promise<LatentColours> | undefined;

  constructor(autoencoder: Autoencoder) {
    this.autoencoder = autoencoder;
  }

  /** Of the first picture of latents [B, C, h, w], as the denoiser has them. */
  async draw(latents: Tensor<'float32'>): Promise<Picture> {
    const unscaled = unscale(rows(latents, 0, 1), this.autoencoder);
    if (this.autoencoder.config.kind === 'tiny')
      return picturesOf(await this.autoencoder.decode(unscaled))[0]!;
    this.colours ??= fitLatentColours(this.autoencoder);
    return colourLatents(unscaled, await this.colours);
  }
}

/** Latents of the denoiser as the autoencoder reads them. */
export function unscale(latents: Tensor<'float32'>, { config }: Autoencoder): Tensor<'float32'> {
  const { scalingFactor, shiftFactor } = config;
  const shift = float32(latents.shape, new Float32Array(latents.data.length).fill(shiftFactor));
  return weightedSum([1 / scalingFactor, latents], [1, shift]);
}

/** Lets a preview through while previews took little of the run so far. Times in milliseconds. */
export class PreviewBudget {
  private readonly started: number;
  private readonly now: () => number;
  private spent = 0;
  private drawn = 0;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.started = now();
  }

  async spend(work: () => Promise<void>): Promise<void> {
    const start = this.now();
    if (this.spent > share * (start - this.started)) return;
    await work();
    // The first one is free: it opens graphs, and it is the one that is waited for.
    if (this.drawn > 0) this.spent += this.now() - start;
    this.drawn++;
  }
}
