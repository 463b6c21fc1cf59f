import sharp from 'sharp';
import type { Picture } from '../engine/tasks/task.ts';
import {
  JSON_KEYWORD,
  pictureInfotext,
  pictureJson,
  type PictureMetadata,
  TRAINED_ALGORITHMIC_MEDIA,
} from './metadata.ts';
import { internationalTextChunk, readChunks, textChunk, writeChunks } from './png-chunks.ts';

/**
 * A picture as a PNG file that says how it was made: A1111 infotext in `parameters`, request and receipt as JSON in
 * `encore`, and the IPTC digital source type in XMP. The same input gives the same bytes.
 */
export async function encodePng(picture: Picture, metadata: PictureMetadata): Promise<Buffer> {
  const { width, height, data } = picture;
  const plain = await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 7 })
    .toBuffer();
  const [header, ...rest] = readChunks(plain);
  if (header === undefined) throw new TypeError('sharp wrote a PNG without chunks');
  return writeChunks([
    header,
    textChunk('parameters', pictureInfotext(metadata)),
    internationalTextChunk(JSON_KEYWORD, pictureJson(metadata)),
    internationalTextChunk('XML:com.adobe.xmp', TRAINED_ALGORITHMIC_MEDIA),
    ...rest,
  ]);
}
