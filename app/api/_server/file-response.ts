import { type ReadStream } from 'node:fs';
import { access, createReadStream } from '../../../lib/studio/disk.ts';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import type { AssetFile } from '../../../lib/studio/services/index.ts';
import type { ResponseSpec } from './operation.ts';
import { problemResponse } from './problem.ts';
import { readRange, type ByteRange } from './range.ts';

/** What {@link fileResponse} listens to and answers, for the description of an operation. */
export const fileRequestHeaders = {
  Range: 'One range of bytes',
  'If-None-Match': 'An ETag that the client has',
};
export function fileResponses(...contentType: string[]): Record<number, ResponseSpec> {
  const headers = { ETag: 'The hash of the content' };
  return {
    200: { description: 'The file', contentType, headers },
    206: { description: 'The range that was asked for', contentType, headers },
    304: { description: 'The client has it already' },
  };
}

/** Sends a stored file: whole, in part, or not at all where the client has it already. */
export async function fileResponse(
  file: AssetFile,
  request: Headers,
  asDownload: boolean,
): Promise<Response> {
  const etag = `"${file.hash}"`;
  const headers: Record<string, string> = {
    // A file is named by its content: what has been fetched once never changes.
    'cache-control': 'private, max-age=31536000, immutable',
    etag,
    'accept-ranges': 'bytes',
    'content-type': file.type,
    'content-disposition': `${asDownload ? 'attachment' : 'inline'}; filename="${file.fileName}"`,
  };
  if (hasTag(request.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });

  const wanted = request.get('if-range');
  const range = wanted === null || wanted === etag ? readRange(request.get('range'), file.bytes) : null;
  if (range === 'unsatisfiable') {
    const beyond = new EncoreError(
      'range_not_satisfiable',
      `The file has ${file.bytes} bytes, and none of those that were asked for.`,
    );
    return problemResponse(beyond, { 'content-range': `bytes */${file.bytes}` });
  }
  await access(file.path).catch((cause: unknown) => {
    throw new EncoreError('not_found', 'The file of this asset is no longer in the data directory.', {
      cause,
    });
  });
  const body = fileStream(file.path, range ?? {});
  if (range === null) {
    return new Response(body, { headers: { ...headers, 'content-length': String(file.bytes) } });
  }
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(range.end - range.start + 1),
      'content-range': `bytes ${range.start}-${range.end}/${file.bytes}`,
    },
  });
}

function hasTag(header: string | null, etag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}

/** Opens the file when the first byte is asked for, reads as fast as the client takes it, closes it when the client goes. */
function fileStream(path: string, range: Partial<ByteRange>): ReadableStream<Uint8Array> {
  let file: ReadStream | undefined;
  let chunks: AsyncIterator<Uint8Array, undefined> | undefined;
  return new ReadableStream(
    {
      async pull(controller) {
        file ??= createReadStream(path, range);
        chunks ??= file[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(new Uint8Array(value));
      },
      cancel() {
        file?.destroy();
      },
    },
    // Nothing is read ahead: a HEAD request, or one whose client has gone, never opens the file.
    { highWaterMark: 0 },
  );
}
