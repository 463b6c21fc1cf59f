import sharp from 'sharp';
import { decodePicture, fitPicture } from './fit.ts';
import { preprocess, type Preprocessor } from './preprocess.ts';

/** Longest side of a control picture that is only looked at, or made to be drawn on. */
const MAX_SIDE = 1024;

/** What a ControlNet is shown of a picture, as PNG, at most 1024 pixels a side. */
export async function controlPicture(
  file: Uint8Array,
  preprocessor: Preprocessor,
): Promise<{ file: Buffer; width: number; height: number }> {
  const whole = await decodePicture(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(whole.width, whole.height));
  const size = { width: Math.round(whole.width * scale), height: Math.round(whole.height * scale) };
  const { width, height, data } = await preprocess(await fitPicture(whole, size, 'stretch'), preprocessor);
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return { file: png, width, height };
}
