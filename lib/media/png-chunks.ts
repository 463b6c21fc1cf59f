import { crc32, inflateSync } from 'node:zlib';
import { EncoreError } from '../contracts/errors.ts';

/** PNG as a list of chunks: ISO/IEC 15948, sections 5 and 11.3.4. */
export interface PngChunk {
  /** Four letters, for example IHDR. */
  type: string;
  data: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export function isPng(file: Uint8Array): boolean {
  return file.length >= 8 && SIGNATURE.equals(file.subarray(0, 8));
}

/**
 * The chunks of a PNG file, each with a view of its data. Lengths and checksums are verified; pixels are not decoded.
 * @throws EncoreError `invalid_parameter`
 */
export function readChunks(file: Uint8Array): PngChunk[] {
  if (!isPng(file)) throw damaged('it does not begin with the PNG signature');
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const chunks: PngChunk[] = [];
  let offset = SIGNATURE.length;
  while (offset < bytes.length) {
    if (offset + 12 > bytes.length) throw damaged(`a chunk header is cut off at byte ${offset}`);
    const length = bytes.readUInt32BE(offset);
    const end = offset + 12 + length;
    const type = bytes.toString('latin1', offset + 4, offset + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw damaged(`byte ${offset} has no chunk type`);
    if (end > bytes.length)
      throw damaged(`chunk ${type} claims ${length} bytes, ${bytes.length - offset - 12} are left`);
    if (crc32(bytes.subarray(offset + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) {
      throw damaged(`the checksum of chunk ${type} at byte ${offset} is wrong`);
    }
    chunks.push({ type, data: bytes.subarray(offset + 8, end - 4) });
    offset = end;
    if (type === 'IEND') return chunks;
  }
  throw damaged('it ends without IEND');
}

export function writeChunks(chunks: readonly PngChunk[]): Buffer {
  const parts: Uint8Array[] = [SIGNATURE];
  for (const { type, data } of chunks) {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(data.length, 0);
    header.write(type, 4, 'latin1');
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(data, crc32(header.subarray(4))), 0);
    parts.push(header, data, check);
  }
  return Buffer.concat(parts);
}

/** A text under a keyword of 1 to 79 Latin-1 characters: `tEXt` where Latin-1 holds it (as A1111 writes), else `iTXt`. */
export function textChunk(keyword: string, text: string): PngChunk {
  if (!isLatin1(text)) return internationalTextChunk(keyword, text);
  return {
    type: 'tEXt',
    data: Buffer.concat([Buffer.from(`${keyword}\0`, 'latin1'), Buffer.from(text, 'latin1')]),
  };
}

/** Uncompressed UTF-8, without language and translated keyword. */
export function internationalTextChunk(keyword: string, text: string): PngChunk {
  return {
    type: 'iTXt',
    data: Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(text, 'utf8')]),
  };
}

/** Inflated text beyond this, all of a file's together, is an attack and not a prompt. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * The texts of `tEXt`, `zTXt` and `iTXt` chunks by their keywords; of several with one keyword the first.
 * @throws EncoreError `invalid_parameter`
 */
export function readTexts(chunks: readonly PngChunk[]): Map<string, string> {
  const texts = new Map<string, string>();
  let left = MAX_TEXT_BYTES;
  const inflate = (data: Uint8Array): Buffer => {
    const text = inflated(data, left);
    left -= text.length;
    return text;
  };
  for (const { type, data } of chunks) {
    const end = data.indexOf(0);
    if (end < 1 || !['tEXt', 'zTXt', 'iTXt'].includes(type)) continue;
    const keyword = Buffer.from(data.subarray(0, end)).toString('latin1');
    if (!texts.has(keyword)) texts.set(keyword, textOf(type, data.subarray(end + 1), inflate));
  }
  return texts;
}

/** `body` begins after the keyword's zero. */
function textOf(type: string, body: Uint8Array, inflate: (data: Uint8Array) => Buffer): string {
  if (type === 'tEXt') return Buffer.from(body).toString('latin1');
  if (type === 'zTXt') return inflate(body.subarray(1)).toString('latin1');
  const afterLanguage = body.indexOf(0, 2) + 1;
  const text = body.subarray(body.indexOf(0, afterLanguage) + 1);
  return (body[0] === 1 ? inflate(text) : Buffer.from(text)).toString('utf8');
}

function inflated(data: Uint8Array, limit: number): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: Math.max(1, limit) });
  } catch (error) {
    throw damaged(`a compressed text cannot be read (${(error as Error).message})`);
  }
}

/** Nothing outside the printable characters of Latin-1 and the line feed, as the standard wants it for tEXt. */
function isLatin1(text: string): boolean {
  return /^[\n\x20-\x7e\xa0-\xff]*$/.test(text);
}

function damaged(reason: string): EncoreError {
  return new EncoreError('invalid_parameter', `The PNG file is damaged: ${reason}.`);
}
