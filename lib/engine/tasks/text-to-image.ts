import { rows, scaled } from '../tensor/arithmetic.ts';
import type { Task } from './course.ts';
import { expectLatentsAlone, latentSize } from './latent-size.ts';
import { secondLeg } from './upscale.ts';

/** Pictures from a sentence: x_T is noise. diffusers: pipelines/stable_diffusion/pipeline_stable_diffusion.py */
export const textToImage: Task = {
  courses(model, input) {
    expectLatentsAlone(model);
    const size = latentSize(model, input);
    const { height, width } = size;
    const shape = [model.denoiser.outChannels, height, width];
    return [
      {
        height,
        width,
        start({ run, noise, first, count }) {
          const latents =
            input.latents === undefined
              ? scaled(run.initNoiseSigma, noise(shape))
              : rows(input.latents, first, first + count);
          return Promise.resolve({ latents });
        },
      },
      ...secondLeg(model, input, size),
    ];
  },
};
