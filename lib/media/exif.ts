/**
 * The EXIF text that generators write in formats without text chunks: infotext in UserComment (A1111 and those after
 * it), JSON in the camera's Make and Model (ComfyUI). Layout: EXIF 2.32, sections 4.5 (IFDs) and 4.6.5 (character codes);
 * TIFF 6.0, section 2.
 */
const USER_COMMENT = 0x9286;
const EXIF_IFD = 0x8769;
const TYPE_ASCII = 2;
/** More entries than any camera or program writes; a damaged count stops here. */
const MAX_ENTRIES = 1000;

export interface ExifTexts {
  userComment: string | null;
  /** Every ASCII field of the first directory. */
  fields: string[];
}

/** Never fails: what is not sound is not there. Accepts a leading `Exif\0\0`. */
export function readExifTexts(exif: Uint8Array): ExifTexts {
  const all = Buffer.from(exif.buffer, exif.byteOffset, exif.byteLength);
  const tiff = all.toString('latin1', 0, 6) === 'Exif\0\0' ? all.subarray(6) : all;
  const order = tiff.toString('latin1', 0, 2);
  const texts: ExifTexts = { userComment: null, fields: [] };
  if (order !== 'MM' && order !== 'II') return texts;
  const file: Tiff = {
    bytes: tiff,
    bigEndian: order === 'MM',
    u16: (at) => (order === 'MM' ? tiff.readUInt16BE(at) : tiff.readUInt16LE(at)),
    u32: (at) => (order === 'MM' ? tiff.readUInt32BE(at) : tiff.readUInt32LE(at)),
  };
  try {
    const main = entries(file, file.u32(4));
    texts.fields = main
      .filter(({ type }) => type === TYPE_ASCII)
      .map((field) => valueOf(file, field).toString('utf8').replace(/\0+$/, ''));
    const pointer = main.find(({ tag }) => tag === EXIF_IFD);
    if (pointer === undefined) return texts;
    const comment = entries(file, file.u32(pointer.at + 8)).find(({ tag }) => tag === USER_COMMENT);
    if (comment !== undefined) texts.userComment = decode(valueOf(file, comment), file.bigEndian);
  } catch (error) {
    // An offset beyond the end.
    if (!(error instanceof RangeError)) throw error;
  }
  return texts;
}

interface Tiff {
  bytes: Buffer;
  bigEndian: boolean;
  u16: (at: number) => number;
  u32: (at: number) => number;
}

interface Entry {
  tag: number;
  type: number;
  /** Where the entry lies. */
  at: number;
}

function entries({ u16 }: Tiff, directory: number): Entry[] {
  const count = Math.min(u16(directory), MAX_ENTRIES);
  return Array.from({ length: count }, (_, i) => {
    const at = directory + 2 + 12 * i;
    return { tag: u16(at), type: u16(at + 2), at };
  });
}

/** Of the types of one byte an element, which are all that is read here. */
function valueOf({ bytes, u32 }: Tiff, { at }: Entry): Buffer {
  const length = u32(at + 4);
  const from = length <= 4 ? at + 8 : u32(at + 8);
  if (from + length > bytes.length) throw new RangeError('beyond the end');
  return bytes.subarray(from, from + length);
}

function decode(comment: Buffer, bigEndian: boolean): string {
  const body = comment.subarray(8);
  if (!comment.toString('latin1', 0, 8).startsWith('UNICODE'))
    return body.toString('utf8').replace(/\0+$/, '');
  // Nearly everyone writes big-endian whatever the file's order is, some follow it: ASCII's zeros tell which.
  const zerosAt = (side: 0 | 1) => body.filter((byte, i) => i % 2 === side && byte === 0).length;
  const [even, odd] = [zerosAt(0), zerosAt(1)];
  const big = even === odd ? bigEndian : even > odd;
  const whole = Buffer.from(body.subarray(0, body.length & ~1));
  return (big ? whole.swap16() : whole).toString('utf16le').replace(/\0+$/, '');
}
