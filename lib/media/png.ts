import sharp from 'sharp';
import type { TaskName } from '../contracts/task-inputs.ts';
import type { Picture } from '../engine/tasks/task.ts';
import { JSON_KEYWORD, pictureInfotext, pictureJson, type PictureMetadata } from './metadata.ts';
import {
  internationalTextChunk,
  type PngChunk,
  readChunks,
  readTexts,
  textChunk,
  writeChunks,
} from './png-chunks.ts';
import { readSourceType, sourceTypeOf, writeXmp } from './xmp.ts';

export const INFOTEXT_KEYWORD = 'parameters';
export const XMP_KEYWORD = 'XML:com.adobe.xmp';

/**
 * A picture as a PNG file that says how it was made: A1111 infotext in `parameters`, request and run as JSON in `encore`,
 * and the IPTC digital source type in XMP. The same input gives the same bytes.
 * @param metadata null leaves out how it was made, but not that it was made by a model
 * @param task decides whether it is a composite
 */
export async function encodePng(
  picture: Picture,
  metadata: PictureMetadata | null,
  task: TaskName = metadata?.params.task ?? 'text-to-image',
): Promise<Buffer> {
  const { width, height, data } = picture;
  const plain = await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 7 })
    .toBuffer();
  return withTexts(plain, [
    ...(metadata === null
      ? []
      : [
          textChunk(INFOTEXT_KEYWORD, pictureInfotext(metadata)),
          internationalTextChunk(JSON_KEYWORD, pictureJson(metadata)),
        ]),
    internationalTextChunk(XMP_KEYWORD, writeXmp(sourceTypeOf(task))),
  ]);
}

/** The same pixels, and of all text only that a model made it. */
export function stripPng(file: Uint8Array): Buffer {
  const chunks = readChunks(file);
  const kept = chunks.filter(({ type }) => !['tEXt', 'zTXt', 'iTXt', 'eXIf', 'tIME'].includes(type));
  const sourceType = readSourceType(readTexts(chunks).get(XMP_KEYWORD));
  return withTexts(writeChunks(kept), [internationalTextChunk(XMP_KEYWORD, writeXmp(sourceType))]);
}

function withTexts(file: Uint8Array, texts: PngChunk[]): Buffer {
  const [header, ...rest] = readChunks(file);
  if (header === undefined) throw new TypeError('a PNG without chunks');
  return writeChunks([header, ...texts, ...rest]);
}
