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
    return isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text, wholeCharacters);
  } catch (cause) {
    if (cause instanceof EncoreError) throw cause;
    throw new EncoreError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause });
  }
}

/** JSON can escape what no text is made of, and what readers of our answers would then choke on. */
function wholeCharacters(_: string, value: unknown): unknown {
  if (typeof value !== 'string' || !/[\p{Surrogate}\0]/u.test(value)) return value;
  throw new EncoreError(
    'invalid_request',
    'A text of the body has half of a surrogate pair in it, or a zero character.',
  );
}

/**
 * Reads a body without ever holding more than the limit.
 * @throws EncoreError `payload_too_large`, `invalid_request` where the connection broke
 */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () => new EncoreError('payload_too_large', `The body is longer than ${limit} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new EncoreError('invalid_request', `The body ended early, after ${size} bytes.`, { cause });
    });
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

/** A form's own lines around its file. */
const FORM_BYTES = 64 * 1024;

/**
 * The file of a body: the body itself, or the one file of a form where the operation takes one.
 * @throws EncoreError `payload_too_large`, `invalid_request`
 */
export async function readFile(
  request: Request,
  spec: { maxBytes: number; form?: boolean } | undefined,
): Promise<{ file: Uint8Array; fileName: string }> {
  if (spec === undefined) return { file: new Uint8Array(), fileName: '' };
  const type = request.headers.get('content-type') ?? '';
  if (spec.form !== true || !type.toLowerCase().startsWith('multipart/form-data')) {
    return { file: await readBytes(request, spec.maxBytes), fileName: '' };
  }
  const body = new Uint8Array(await readBytes(request, spec.maxBytes + FORM_BYTES));
  const form = await new Response(body, { headers: { 'content-type': type } })
    .formData()
    .catch((cause: unknown) => {
      throw new EncoreError('invalid_request', 'The body is not a valid form.', { cause });
    });
  const files = [...form.values()].filter((value) => typeof value !== 'string');
  const [file] = files;
  if (file === undefined || files.length > 1) {
    throw new EncoreError('invalid_request', `The form has ${files.length} files, expected one.`);
  }
  if (file.size > spec.maxBytes) {
    throw new EncoreError('payload_too_large', `The file is longer than ${spec.maxBytes} bytes.`);
  }
  return { file: new Uint8Array(await file.arrayBuffer()), fileName: file.name };
}
