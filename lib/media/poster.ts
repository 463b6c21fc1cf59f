import sharp from 'sharp';
import type { Picture } from '../engine/tasks/task.ts';
import { writeXmp } from './xmp.ts';

/** A frame as the WebP file that stands for its video. The same input gives the same bytes. */
export function encodePoster({ width, height, data }: Picture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .webp({ quality: 90 })
    .withXmp(writeXmp('trainedAlgorithmicMedia'))
    .toBuffer();
}
