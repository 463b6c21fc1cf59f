import sharp from 'sharp';
import type { Picture } from '../engine/tasks/task.ts';
import { decodePicture, fitPicture, type ResizeMode, type Size } from './fit.ts';
import { preprocess, type Preprocessor } from './preprocess.ts';

/**
 * Any picture file as the control picture of what is drawn at that size.
 * @throws EncoreError `invalid_parameter` for what is no picture, `payload_too_large`
 */
export async function controlPicture(
  file: Uint8Array,
  size: Size,
  resize: ResizeMode,
  name: Preprocessor,
): Promise<Picture> {
  return preprocess(await fitPicture(await decodePicture(file), size, resize), name);
}

/** Longest side of a control picture that is only looked at, or made to be drawn on. */
const MAX_SIDE = 1024;

/** The same for people, as PNG: in the picture's own shape, at most 1024 pixels a side. Throws what the other throws. */
export async function controlPicturePng(
  file: Uint8Array,
  name: Preprocessor,
): Promise<{ file: Buffer; width: number; height: number }> {
  const whole = await decodePicture(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(whole.width, whole.height));
  const size = { width: Math.round(whole.width * scale), height: Math.round(whole.height * scale) };
  const { width, height, data } = await preprocess(await fitPicture(whole, size, 'stretch'), name);
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return { file: png, width, height };
}
