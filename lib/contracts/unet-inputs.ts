import { EncoreError } from './errors.ts';

/** What a UNet reads beside the text: noisy latents alone, or with them a mask and the latents of what is not masked. */
export type UnetInputs = 'latents' | 'masked-latents';

/** Channels beside the latents by what they are, for latents of c channels. */
const refused: readonly (readonly [extra: (c: number) => number, what: string])[] = [
  [(c) => c, 'an InstructPix2Pix model, which reads the latents of a picture beside those it draws'],
  [() => 3, 'an x4 upscaler, which reads a small picture'],
  [() => 1, 'a depth model, which reads a depth map'],
];

/**
 * What a UNet reads follows from its numbers of channels: 4 to 4 is a Stable Diffusion, 9 to 4 one for inpainting.
 * @throws EncoreError `checkpoint_unsupported` naming the kind of model that reads so many
 */
export function unetInputs(name: string, inChannels: number, outChannels: number): UnetInputs {
  const extra = inChannels - outChannels;
  if (extra === 0) return 'latents';
  if (extra === outChannels + 1) return 'masked-latents';
  const what =
    refused.find(([channels]) => channels(outChannels) === extra)?.[1] ?? 'a model of an unknown kind';
  throw new EncoreError(
    'checkpoint_unsupported',
    `the UNet of ${name} reads ${inChannels} channels and writes ${outChannels}: it is ${what}`,
    { remedy: 'Use a Stable Diffusion 1.x or 2.x model, or one of them that was made for inpainting.' },
  );
}
