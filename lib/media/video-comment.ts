/**
 * Where the comment of a video file lies, in which Encore writes how it was made. MP4: ISO/IEC 14496-12 boxes, with the
 * item list of Apple's metadata (`moov/udta/meta/ilst/©cmt/data`). WebM: EBML (RFC 8794), the tags of Matroska (RFC 9559,
 * section 5.1.8).
 */
export interface Comment {
  /** Of its text, in bytes. */
  start: number;
  end: number;
}

type Element = { id: string; start: number; end: number };

/** Null for any other file, and for one without a comment. Never fails: what is not sound is not there. */
function findComment(file: Uint8Array): Comment | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const whole = { id: '', start: 0, end: bytes.length };
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return findInMp4(bytes, whole);
  return bytes.length > 4 && bytes.readUInt32BE(0) === 0x1a45dfa3 ? findInWebm(bytes, whole) : null;
}

export function readComment(file: Uint8Array): string | null {
  const comment = findComment(file);
  return comment === null ? null : Buffer.from(file.subarray(comment.start, comment.end)).toString('utf8');
}

/** The same video that says nothing: its comment is written over with spaces, so that nothing moves. */
export function blankComment(file: Uint8Array): Buffer {
  const copy = Buffer.from(file);
  const comment = findComment(copy);
  if (comment !== null) copy.fill(0x20, comment.start, comment.end);
  return copy;
}

function findInMp4(bytes: Buffer, whole: Element): Comment | null {
  let found: Element | undefined = whole;
  for (const id of ['moov', 'udta', 'meta', 'ilst', '\xa9cmt', 'data']) {
    // `meta` has a version before its children.
    const inside: Element = found.id === 'meta' ? { ...found, start: found.start + 4 } : found;
    found = boxes(bytes, inside).find((box) => box.id === id);
    if (found === undefined) return null;
  }
  // Type and language come before the text.
  const start = found.start + 8;
  return start <= found.end ? { start, end: found.end } : null;
}

function boxes(bytes: Buffer, { start, end }: Element): Element[] {
  const found: Element[] = [];
  let at = start;
  while (at + 8 <= end) {
    const id = bytes.toString('latin1', at + 4, at + 8);
    let [header, size] = [8, bytes.readUInt32BE(at)];
    if (size === 1 && at + 16 <= end) [header, size] = [16, Number(bytes.readBigUInt64BE(at + 8))];
    else if (size === 0) size = end - at;
    if (size < header || at + size > end) break;
    found.push({ id, start: at + header, end: at + size });
    at += size;
  }
  return found;
}

const MASTERS = new Set(['18538067', '1254c367', '7373']);
const [SIMPLE_TAG, TAG_NAME, TAG_STRING] = ['67c8', '45a3', '4487'] as const;

function findInWebm(bytes: Buffer, inside: Element): Comment | null {
  for (const element of elements(bytes, inside)) {
    if (MASTERS.has(element.id)) {
      const comment = findInWebm(bytes, element);
      if (comment !== null) return comment;
    }
    if (element.id !== SIMPLE_TAG) continue;
    const parts = [...elements(bytes, element)];
    const name = parts.find(({ id }) => id === TAG_NAME);
    const text = parts.find(({ id }) => id === TAG_STRING);
    if (name === undefined || text === undefined) continue;
    if (bytes.toString('utf8', name.start, name.end).toUpperCase() === 'COMMENT')
      return { start: text.start, end: text.end };
  }
  return null;
}

function* elements(bytes: Buffer, { start, end }: Element): Generator<Element, void, void> {
  let at = start;
  while (at < end) {
    const id = vint(bytes, at, end);
    const size = id === null ? null : vint(bytes, at + id.length, end);
    if (id === null || size === null) return;
    const from = at + id.length + size.length;
    // All ones: a size that was not known when it was written; it reaches to the end of what holds it.
    const to = size.value === 2 ** (7 * size.length) - 1 ? end : from + size.value;
    if (to > end) return;
    yield { id: bytes.toString('hex', at, at + id.length), start: from, end: to };
    at = to;
  }
}

/** A number of EBML: its first bits say how long it is. */
function vint(bytes: Buffer, at: number, end: number): { length: number; value: number } | null {
  const first = bytes[at];
  if (at >= end || first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > end) return null;
  let value = first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]!;
  return { length, value };
}
