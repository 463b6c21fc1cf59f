import sharp, { type Sharp } from 'sharp';
import { EncoreError } from '../contracts/errors.ts';
import { borderedSize, type Size } from '../contracts/sizes.ts';
import type { Outpaint, resizeModes } from '../contracts/task-inputs.ts';
import type { GrayPicture, Picture } from '../engine/tasks/task.ts';
import { uprightPicture } from './upload.ts';

export type ResizeMode = (typeof resizeModes)[number];

export { naturalSize, type Size } from '../contracts/sizes.ts';

/** Picture files of a request as they came, and the size that is drawn (without the border of `outpaint`). */
export interface PictureFiles extends Size {
  image?: Uint8Array;
  mask?: Uint8Array;
  resize?: ResizeMode;
  outpaint?: Outpaint;
  /** A part of it is drawn at that size: the picture keeps its own. */
  paddingMaskCrop?: number;
}

/** Pictures as the engine takes them, with the size that is drawn. */
export interface FittedPictures extends Size {
  image?: Picture;
  mask?: GrayPicture;
}

/**
 * What the engine is given of a request's pictures; the command line and the worker both come through here. The picture
 * is brought to `width` x `height` and the mask follows it; `outpaint` then adds its border to both.
 * @throws EncoreError `invalid_parameter` for what is no picture, or a mask of another shape; `payload_too_large`
 */
export async function fitPictures(files: PictureFiles): Promise<FittedPictures> {
  const { width, height, resize = 'crop', outpaint } = files;
  if (files.image === undefined) return { width, height };
  const original = await decodePicture(files.image);
  if (files.paddingMaskCrop !== undefined) {
    const mask = files.mask && (await fitMask(await decodeMask(files.mask), original, original, 'stretch'));
    return { width, height, image: original, mask };
  }
  const image = await fitPicture(original, files, resize);
  const mask =
    files.mask === undefined
      ? undefined
      : await fitMask(await decodeMask(files.mask), original, files, resize);
  if (outpaint === undefined) return { width, height, image, mask };
  const canvas = borderedSize(files, outpaint);
  return { image: await extend(image, outpaint), mask: extendMask(mask, files, outpaint), ...canvas };
}

/** Any picture file as RGB: upright, in sRGB, the transparent on white. */
export async function decodePicture(file: Uint8Array): Promise<Picture> {
  const { file: png } = await uprightPicture(file);
  return raw(sharp(png).flatten({ background: 'white' }).toColourspace('srgb').removeAlpha());
}

/** A mask file as one channel: luminance; the transparent is black, which is kept. */
export async function decodeMask(file: Uint8Array): Promise<GrayPicture> {
  const { file: png } = await uprightPicture(file);
  return raw(
    sharp(png).flatten({ background: 'black' }).removeAlpha().toColourspace('b-w').extractChannel(0),
  );
}

/** `crop` keeps the middle, `pad` repeats the edge pixels, `stretch` does neither. A picture that fits is not touched. */
export async function fitPicture(picture: Picture, size: Size, mode: ResizeMode): Promise<Picture> {
  if (picture.width === size.width && picture.height === size.height) return picture;
  const inner = innerSize(picture, size, mode);
  const resized = await raw(
    from(picture, 3).resize(inner.width, inner.height, { fit: mode === 'crop' ? 'cover' : 'fill' }),
  );
  return mode === 'pad' ? extend(resized, padding(inner, size)) : resized;
}

/**
 * A mask goes where its picture goes. It has the picture's size or shape, or already that of the result.
 * @throws EncoreError `invalid_parameter` for another shape: nobody could say where it lies
 */
export async function fitMask(
  mask: GrayPicture,
  picture: Size,
  size: Size,
  mode: ResizeMode,
): Promise<GrayPicture> {
  if (mask.width === size.width && mask.height === size.height) return mask;
  // Half a pixel of rounding either way is the same shape.
  const expected = (picture.height * mask.width) / picture.width;
  if (Math.abs(expected - mask.height) > 1 + mask.width / picture.width) {
    const [a, b] = [mask, picture].map(({ width, height }) => `${width}x${height}`);
    throw new EncoreError('invalid_parameter', `the mask is ${a} and the picture ${b}: their shapes differ`, {
      remedy: 'Paint the mask over the picture itself, at its size.',
      errors: [{ path: 'mask', message: 'must have the shape of the picture' }],
    });
  }
  const inner = innerSize(picture, size, mode);
  const resized = await raw(
    from(mask, 1)
      .resize(inner.width, inner.height, { fit: mode === 'crop' ? 'cover' : 'fill' })
      .extractChannel(0),
  );
  return mode === 'pad' ? extendMask(resized, inner, padding(inner, size), 0) : resized;
}

/** What the picture itself takes of the result; the rest of `pad` is border. */
function innerSize(picture: Size, size: Size, mode: ResizeMode): Size {
  if (mode !== 'pad') return { width: size.width, height: size.height };
  const scale = Math.min(size.width / picture.width, size.height / picture.height);
  return {
    width: Math.max(Math.round(picture.width * scale), 1),
    height: Math.max(Math.round(picture.height * scale), 1),
  };
}

function padding(inner: Size, size: Size): Outpaint {
  const left = Math.floor((size.width - inner.width) / 2);
  const top = Math.floor((size.height - inner.height) / 2);
  return { left, top, right: size.width - inner.width - left, bottom: size.height - inner.height - top };
}

/** A border of repeated edge pixels. */
function extend(picture: Picture, border: Outpaint): Promise<Picture> {
  return raw(from(picture, 3).extend({ ...border, extendWith: 'copy' }));
}

/** The mask of a picture with a border; none is one that keeps everything. The border is drawn. */
function extendMask(
  mask: GrayPicture | undefined,
  { width, height }: Size,
  border: Outpaint,
  fill = 255,
): GrayPicture {
  const size = { width: width + border.left + border.right, height: height + border.top + border.bottom };
  const data = new Uint8Array(size.width * size.height).fill(fill);
  for (let row = 0; row < height; row++) {
    const start = (row + border.top) * size.width + border.left;
    if (mask === undefined) data.fill(0, start, start + width);
    else data.set(mask.data.subarray(row * width, (row + 1) * width), start);
  }
  return { ...size, data };
}

function from({ width, height, data }: Picture | GrayPicture, channels: 1 | 3): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function raw(pipeline: Sharp): Promise<Picture> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}
