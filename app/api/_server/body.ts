import { EncoreError } from '../../../lib/contracts/errors.ts';

/** A JSON body longer than this is none of ours: the longest request has two prompts and a thousand key steps. */
export const MAX_JSON_BYTES = 256 * 1024;

/**
 * Reads a JSON body, or that of a form where one may come.
 * @throws EncoreError `payload_too_large`, `invalid_request`
 */
export async function readBody(request: Request, form?: { maxBytes: number }): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const isForm = form !== undefined && type === 'application/x-www-form-urlencoded';
  if (!isForm && type !== 'application/json') {
    throw new EncoreError(
      'invalid_request',
      `The content type is "${type ?? ''}", expected application/json.`,
    );
  }
  const bytes = await readBytes(request, form?.maxBytes ?? MAX_JSON_BYTES);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text);
  } catch (cause) {
    throw new EncoreError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause });
  }
}

/**
 * Reads a body without ever holding more than the limit.
 * @throws EncoreError `payload_too_large`
 */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () => new EncoreError('payload_too_large', `The body is longer than ${limit} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}
