import { EncoreError } from '../../contracts/errors.ts';
import { firstStep } from '../../contracts/plan.ts';
import { defaultStrength } from '../../contracts/task-inputs.ts';
import { unetInputs } from '../../contracts/unet-inputs.ts';
import { concatChannels, rows, scaled } from '../tensor/arithmetic.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { Batch, Task } from './course.ts';
import { latentSize } from './latent-size.ts';
import { composed, expectMask, feathered, filled, hidden, latentMask } from './mask.ts';
import { maskedArea, maskPartOf, partOf, putBack, type Area } from './masked-area.ts';
import { expectImage, expectSize, originalOf, pixelsOf, type Original } from './original.ts';
import { repeatRow } from './pictures.ts';
import type { GenerateInput, GrayPicture, Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/** As AUTOMATIC1111's. */
const defaultMaskBlur = 4;

/**
 * What is under a mask drawn anew. With an ordinary checkpoint the rest is put back after every step, at the noise of the
 * next; an inpainting checkpoint reads the mask and the picture without what is under it beside the latents. In the end
 * the original's pixels are put back everywhere else. diffusers: pipelines/stable_diffusion/pipeline_stable_diffusion_inpaint.py
 */
export const inpaint: Task = {
  courses(model, input) {
    const { inChannels, outChannels } = model.denoiser;
    const reads = unetInputs(model.name, inChannels, outChannels);
    const { image, mask } = expectMasked(input);
    const { height, width, count } = latentSize(model, input);
    const { maskedContent = 'original' } = input;
    const first = firstStep(input.steps, input.strength ?? defaultStrength.inpaint);
    const cells = latentMask(mask, model.autoencoder.config.scale);
    const pixels = pixelsOf(maskedContent === 'fill' ? filled(image, mask) : image);
    const original = originalOf(model, pixels, count);
    // diffusers: at full strength nothing of the picture is in x_T.
    const fromNoise = first === 0 && maskedContent === 'original';
    const unseen =
      reads === 'masked-latents' ? originalOf(model, hidden(pixelsOf(image), mask), count) : undefined;
    const encodes = !fromNoise || unseen === undefined;
    return [
      {
        height,
        width,
        first,
        cost: (encodes ? original.cost : 0) + (unseen?.cost ?? 0),
        async start(batch) {
          const { run } = batch;
          const shape = [model.denoiser.outChannels, height, width];
          const kept = encodes ? await original.latents(batch) : undefined;
          const noise = batch.noise(shape);
          const latents =
            kept === undefined || fromNoise
              ? scaled(run.initNoiseSigma, noise)
              : run.addNoise(under(maskedContent, kept, cells, batch), noise);
          const start = input.latents === undefined ? latents : given(input.latents, batch);
          if (unseen !== undefined) return { latents: start, augment: await beside(unseen, cells, batch) };
          return {
            latents: start,
            amend(x, index) {
              const next = index + 1;
              const around = next < run.timesteps.length ? run.addNoise(kept!, noise, next) : kept!;
              return blended(around, x, cells);
            },
          };
        },
      },
    ];
  },

  part(request) {
    const area = areaOf(request);
    if (area === undefined) return request;
    const { image, mask, control, width, height } = request;
    const size = { width, height };
    return {
      ...request,
      image: partOf(image!, area, size),
      mask: maskPartOf(mask!, area, size),
      ...(control && {
        control: control.map((each) => ({ ...each, image: partOf(each.image, area, size) })),
      }),
    };
  },

  finish(picture, request) {
    const { image, mask } = expectMasked(request);
    const area = areaOf(request);
    const drawn = area === undefined ? picture : putBack(image, picture, area);
    return composed(image, drawn, feathered(mask, blurOf(request)));
  },
};

/** The part of a request's picture that is drawn; undefined where that is the whole. */
function areaOf(request: GenerateInput): Area | undefined {
  const { paddingMaskCrop } = request;
  if (paddingMaskCrop === undefined) return undefined;
  const { image, mask } = expectMasked(request);
  for (const [i, control] of (request.control ?? []).entries()) {
    expectSize(`control.${i}.image`, control.image, image);
  }
  return maskedArea(mask, paddingMaskCrop + blurOf(request), request);
}

function blurOf({ maskBlur = defaultMaskBlur }: GenerateInput): number {
  return maskBlur;
}

function expectMasked(input: GenerateInput): { image: Picture; mask: GrayPicture } {
  const { mask, paddingMaskCrop } = input;
  // Only a part of it is drawn: the picture has any size.
  const size = paddingMaskCrop !== undefined && input.image !== undefined ? input.image : input;
  const image = expectImage({ ...input, width: size.width, height: size.height });
  if (mask === undefined) throw new EncoreError('invalid_parameter', 'inpaint needs a mask');
  expectSize('mask', mask, size);
  expectMask(mask);
  return { image, mask };
}

function given(latents: Float32, { first, count }: Batch): Float32 {
  return rows(latents, first, first + count);
}

/** AUTOMATIC1111's "masked content": what is under the mask before noise is added. */
function under(
  content: NonNullable<GenerateInput['maskedContent']>,
  original: Float32,
  cells: Float32,
  { noise }: Batch,
): Float32 {
  switch (content) {
    case 'original':
    case 'fill':
      return original;
    case 'latent-noise':
      return blended(original, noise(original.shape.slice(1)), cells);
    case 'latent-nothing':
      return blended(original, float32(original.shape), cells);
  }
}

/** `drawn` where the mask [1, 1, h, w] is 1, `kept` where it is 0. */
function blended(kept: Float32, drawn: Float32, { data: mask }: Float32): Float32 {
  const data = kept.data.map((value, i) => (mask[i % mask.length] === 1 ? drawn.data[i]! : value));
  return float32(kept.shape, data);
}

/** Channels that an inpainting checkpoint reads after the latents: the mask, then the picture without what is under it. */
async function beside(unseen: Original, cells: Float32, batch: Batch): Promise<(sample: Float32) => Float32> {
  const picture = await unseen.latents(batch);
  const extra = concatChannels(repeatRow(cells, batch.count), picture);
  return (sample) => concatChannels(sample, extra);
}
