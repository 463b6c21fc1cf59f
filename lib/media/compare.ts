import sharp from 'sharp';
import type { Comparison } from '../contracts/generation.ts';
import type { Picture } from '../engine/tasks/task.ts';

/**
 * How far pictures are from the files they repeat, over all of them together. Null when their numbers or sizes differ:
 * there is nothing to compare then.
 */
export async function comparePictures(
  files: readonly Uint8Array[],
  pictures: readonly Picture[],
): Promise<Comparison | null> {
  if (files.length !== pictures.length) return null;
  let [values, sum, squares, max] = [0, 0, 0, 0];
  for (const [i, picture] of pictures.entries()) {
    const { data, info } = await sharp(files[i]).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.width !== picture.width || info.height !== picture.height || info.channels !== 3) return null;
    for (let j = 0; j < data.length; j++) {
      const difference = Math.abs(data[j]! - picture.data[j]!);
      sum += difference;
      squares += difference * difference;
      if (difference > max) max = difference;
    }
    values += data.length;
  }
  return {
    psnr: squares === 0 ? null : 10 * Math.log10((255 * 255 * values) / squares),
    meanDifference: sum / values,
    maxDifference: max,
  };
}
