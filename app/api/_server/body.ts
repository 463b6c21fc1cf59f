import { EncoreError } from '../../../lib/contracts/errors.ts';

/** A JSON body longer than this is none of ours: the longest request has two prompts and a thousand key steps. */
export const MAX_JSON_BYTES = 256 * 1024;

/**
 * Reads a JSON body without ever holding more than the limit.
 * @throws EncoreError `payload_too_large`, `invalid_request`
 */
export async function readJson(request: Request): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new EncoreError(
      'invalid_request',
      `The content type is "${type ?? ''}", expected application/json.`,
    );
  }
  const tooLarge = () =>
    new EncoreError('payload_too_large', `The body is longer than ${MAX_JSON_BYTES} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > MAX_JSON_BYTES) throw tooLarge();

  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > MAX_JSON_BYTES) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw new EncoreError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause });
  }
}
