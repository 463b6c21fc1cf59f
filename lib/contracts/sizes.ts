import { EncoreError } from './errors.ts';
import { limits } from './generation.ts';
import type { Outpaint } from './task-inputs.ts';

export interface Size {
  width: number;
  height: number;
}

/**
 * The size at which a picture is drawn where the request has none: its own, cut down to the sides a model takes
 * (`multiple`), as long as it is at most four times what the model was trained on; otherwise that much, in its shape.
 */
export function naturalSize(picture: Size, model: Size, multiple: number): Size {
  const [area, trained] = [picture.width * picture.height, model.width * model.height];
  const scale = area > 4 * trained ? Math.sqrt(trained / area) : 1;
  const side = (pixels: number): number => {
    const fitting = Math.floor((pixels * scale) / multiple) * multiple;
    const least = Math.ceil(limits.minSide / multiple) * multiple;
    return Math.min(Math.max(fitting, least), Math.floor(limits.maxSide / multiple) * multiple);
  };
  return { width: side(picture.width), height: side(picture.height) };
}

/**
 * What a picture becomes when it is upscaled: sides are rounded to what the model takes.
 * @throws EncoreError `invalid_parameter` where that is too large
 */
export function upscaledSize(size: Size, factor: number, multiple: number): Size {
  const side = (pixels: number) => Math.round((pixels * factor) / multiple) * multiple;
  const upscaled = { width: side(size.width), height: side(size.height) };
  expectDrawable(upscaled, `upscaling ${written(size)} by ${factor} gives`, 'upscale.factor');
  return upscaled;
}

/**
 * A picture with the border of `outpaint`.
 * @throws EncoreError `invalid_parameter` where that is too large
 */
export function borderedSize(size: Size, { left, top, right, bottom }: Outpaint): Size {
  const bordered = { width: size.width + left + right, height: size.height + top + bottom };
  expectDrawable(bordered, 'with its border the picture is', 'outpaint');
  return bordered;
}

function expectDrawable(size: Size, what: string, path: string): void {
  if (Math.max(size.width, size.height) <= limits.maxSide) return;
  const message = `${what} ${written(size)}: sides may have ${limits.maxSide} pixels`;
  throw new EncoreError('invalid_parameter', message, {
    errors: [{ path, message: 'makes the picture too large' }],
  });
}

function written({ width, height }: Size): string {
  return `${width}x${height}`;
}
