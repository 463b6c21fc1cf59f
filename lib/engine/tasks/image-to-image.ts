import { firstStep } from '../../contracts/plan.ts';
import { defaultStrength } from '../../contracts/task-inputs.ts';
import { rows } from '../tensor/arithmetic.ts';
import type { Task } from './course.ts';
import { expectLatentsAlone, latentSize } from './latent-size.ts';
import { expectImage, originalOf, pixelsOf } from './original.ts';
import { secondLeg } from './upscale.ts';

/**
 * A picture drawn anew: noised to the step that `strength` says, and denoised from there. The first evaluated step is
 * always key. diffusers: pipelines/stable_diffusion/pipeline_stable_diffusion_img2img.py
 */
export const imageToImage: Task = {
  courses(model, input) {
    expectLatentsAlone(model);
    const size = latentSize(model, input);
    const { height, width, count } = size;
    const original = originalOf(model, pixelsOf(expectImage(input)), count);
    return [
      {
        height,
        width,
        first: firstStep(input.steps, input.strength ?? defaultStrength['image-to-image']),
        cost: original.cost,
        async start(batch) {
          const { first, count } = batch;
          // Given latents are noisy already.
          if (input.latents !== undefined) return { latents: rows(input.latents, first, first + count) };
          const latents = await original.latents(batch);
          return { latents: batch.run.addNoise(latents, batch.noise(latents.shape.slice(1))) };
        },
      },
      ...secondLeg(model, input, size),
    ];
  },
};
