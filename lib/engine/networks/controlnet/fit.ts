import { EncoreError } from '../../../contracts/errors.ts';
import type { UnetConfig } from '../unet/config.ts';
import type { ControlNetConfig } from './config.ts';

/** A network with the name that a person knows it by. */
interface Named<T> {
  readonly name: string;
  readonly config: T;
}

/**
 * A ControlNet adds to the skips of the UNet it was trained beside: channels and levels have to be the same, and the text
 * as wide. Throws `invalid_parameter` naming both and the first thing in which they differ.
 */
export function expectFits(
  control: Named<ControlNetConfig>,
  unet: Named<UnetConfig>,
  /** Pixels per latent of the model's autoencoder. */
  scale: number,
): void {
  const facts = (config: UnetConfig, latents: number, pixels: number) => ({
    'channels of latents': latents,
    'pixels per latent': pixels,
    'text width (cross_attention_dim)': config.textWidth,
    'channels per level': config.channels.join(', '),
    'layers per level': config.downBlocks.map(({ resnets }) => resnets).join(', '),
  });
  const its = facts(control.config.unet, control.config.unet.inChannels, control.config.scale);
  // An inpainting UNet reads more than latents; what it writes are latents.
  const needed = facts(unet.config, unet.config.outChannels, scale);
  for (const [what, value] of Object.entries(its)) {
    const wanted = needed[what as keyof typeof needed];
    if (value === wanted) continue;
    throw new EncoreError(
      'invalid_parameter',
      `the ControlNet ${control.name} does not fit ${unet.name}: ${what} ${value}, not ${wanted}`,
      { remedy: 'Choose a ControlNet that was made for this kind of model.' },
    );
  }
}
