import { expect, test } from 'vitest';
import { unetInputs } from '../../lib/contracts/unet-inputs.ts';

test('Stable Diffusion reads latents, its inpainting models a mask and a picture with them', () => {
  expect(unetInputs('sd', 4, 4)).toBe('latents');
  expect(unetInputs('sd-inpainting', 9, 4)).toBe('masked-latents');
  expect(unetInputs('toy', 8, 8)).toBe('latents');
});

test.each([
  [8, 4, /^the UNet of other reads 8 channels and writes 4: it is an InstructPix2Pix model/],
  [7, 4, /x4 upscaler/],
  [5, 4, /depth model/],
  [4, 8, /unknown kind/],
  [13, 4, /unknown kind/],
])('a UNet of %i channels in and %i out is refused by name', (from, to, message) => {
  expect(() => unetInputs('other', from, to)).toThrow(
    expect.objectContaining({
      code: 'checkpoint_unsupported',
      message: expect.stringMatching(message) as string,
    }),
  );
});
