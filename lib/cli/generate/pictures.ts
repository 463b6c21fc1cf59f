import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { EncoreError } from '../../contracts/errors.ts';
import {
  maskedContents,
  resizeModes,
  upscaleSchema,
  type Outpaint,
  type Upscale,
} from '../../contracts/task-inputs.ts';
import { fitPictures, naturalSize, type ResizeMode } from '../../media/fit.ts';
import { uprightPicture } from '../../media/upload.ts';
import type { OptionGroup } from './group.ts';
import { number } from './values.ts';

export interface PictureOptions {
  image?: string;
  strength?: number;
  resize?: ResizeMode;
  mask?: string;
  maskBlur?: number;
  maskedContent?: (typeof maskedContents)[number];
  paddingMaskCrop?: number;
  outpaint?: Outpaint;
  upscale?: number;
  upscaleMethod?: Upscale['method'];
  upscaleStrength?: number;
  width?: number;
  height?: number;
}

/** A picture to start from, what of it is drawn anew, and how large it becomes. */
export const pictures: OptionGroup<PictureOptions> = {
  heading: 'From a picture:',
  declare(command) {
    command
      .option('--image <file>', 'picture to start from (PNG, JPEG, WebP, AVIF)')
      .option(
        '--strength <s>',
        'from 0, which keeps the picture, to 1, which draws all of it anew (default: 0.75, with a mask 1)',
        number,
      )
      .addOption(
        new Option('--resize <mode>', 'a picture of another shape (default: crop)').choices(resizeModes),
      )
      .option('--mask <file>', 'white is drawn anew')
      .option('--mask-blur <pixels>', 'feather of its edge (default: 4)', number)
      .addOption(
        new Option('--masked-content <what>', 'what is under the mask before noise is added').choices(
          maskedContents,
        ),
      )
      .option(
        '--padding-mask-crop <pixels>',
        'draw only what is masked and so much around it, at --width x --height',
        number,
      )
      .option('--outpaint <pixels>', 'border to draw: one number, or left,top,right,bottom', border)
      .option('--upscale <factor>', 'draw again at a larger size', number)
      .addOption(
        new Option('--upscale-method <what>', 'what is enlarged').choices(
          upscaleSchema.shape.method.unwrap().options,
        ),
      )
      .option('--upscale-strength <s>', 'denoising strength of the larger pass (default: 0.35)', number);
  },
  async request(options, defaults) {
    const { image, mask, strength, resize, maskBlur, maskedContent, paddingMaskCrop, outpaint } = options;
    return {
      ...(image === undefined ? {} : await sizeOf(image, options, defaults)),
      ...{ image: image && nameOf(image), mask: mask && nameOf(mask) },
      ...{ strength, resize, maskBlur, maskedContent, paddingMaskCrop, outpaint },
      upscale: upscaleOf(options),
    };
  },
  async input({ image, mask, resize, outpaint, paddingMaskCrop }, { width, height }) {
    const files = {
      image: image === undefined ? undefined : await read(image),
      mask: mask === undefined ? undefined : await read(mask),
    };
    return fitPictures({ ...files, width, height, resize, outpaint, paddingMaskCrop });
  },
};

async function sizeOf(
  image: string,
  { width, height, paddingMaskCrop }: PictureOptions,
  defaults: { width: number; height: number; sideMultiple: number },
) {
  if (width !== undefined && height !== undefined) return { width, height };
  // Only a part of it is drawn: at the size of the model.
  if (paddingMaskCrop !== undefined)
    return { width: width ?? defaults.width, height: height ?? defaults.height };
  const natural = naturalSize(await uprightPicture(await read(image)), defaults, defaults.sideMultiple);
  return { width: width ?? natural.width, height: height ?? natural.height };
}

function upscaleOf({ upscale, upscaleMethod, upscaleStrength }: PictureOptions) {
  if (upscale === undefined && upscaleMethod === undefined && upscaleStrength === undefined) return undefined;
  return { factor: upscale, method: upscaleMethod, strength: upscaleStrength };
}

/** A request names pictures by ids; on the command line their files' names stand for them. */
export function nameOf(path: string): string {
  return basename(path).slice(-100);
}

export async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new EncoreError('invalid_parameter', `${path} cannot be read`, {
      remedy: 'Name a picture file.',
      cause,
    });
  }
}

function border(text: string): Outpaint {
  const sides = text.split(',').map(number);
  const [left = 0, top = left, right = left, bottom = left] = sides;
  if (sides.length !== 1 && sides.length !== 4) {
    throw new InvalidArgumentError('Use one number, or left,top,right,bottom.');
  }
  return { left, top, right, bottom };
}
