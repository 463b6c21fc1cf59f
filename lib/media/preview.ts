import sharp from 'sharp';
import type { Picture } from '../engine/tasks/task.ts';

/** Longest side in pixels: sharp enough under a blur, some kB on the wire. */
const PREVIEW_SIDE = 256;

/** A small picture as `data:image/webp;base64,...`, for an event. */
export async function previewDataUrl({ width, height, data }: Picture): Promise<string> {
  const webp = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(PREVIEW_SIDE, PREVIEW_SIDE, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 70 })
    .toBuffer();
  return `data:image/webp;base64,${webp.toString('base64')}`;
}
