import sharp from 'sharp';
import type { exportFormats } from '../contracts/studio.ts';
import { JSON_KEYWORD } from './metadata.ts';
import { INFOTEXT_KEYWORD, stripPng, XMP_KEYWORD } from './png.ts';
import { readChunks, readTexts } from './png-chunks.ts';
import { readSourceType, writeXmp } from './xmp.ts';

export type ExportFormat = (typeof exportFormats)[number];

/** Nothing of the loss is visible, at a third of the PNG's size or less. */
const QUALITY = { jpeg: 92, webp: 90, avif: 75 } as const;

/**
 * One of our PNG files in another format. What it says about itself goes along where it is wanted: as infotext in EXIF's
 * UserComment, which the field's programs read, and whole in XMP, which holds every script. That a model made it is
 * always said.
 */
export async function exportPicture(
  file: Uint8Array,
  format: ExportFormat,
  metadata: boolean,
): Promise<Buffer> {
  if (format === 'png') return metadata ? Buffer.from(file) : stripPng(file);
  const texts = readTexts(readChunks(file));
  const infotext = texts.get(INFOTEXT_KEYWORD);
  let picture = sharp(file).toFormat(format, { quality: QUALITY[format] });
  if (metadata && infotext !== undefined) picture = picture.withExif({ IFD2: { UserComment: infotext } });
  const sourceType = readSourceType(texts.get(XMP_KEYWORD));
  return picture.withXmp(writeXmp(sourceType, metadata ? texts.get(JSON_KEYWORD) : undefined)).toBuffer();
}
