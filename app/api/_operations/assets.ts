import { z } from 'zod';
import { getAssetFile } from '../../../lib/studio/services/index.ts';
import { fileResponse } from '../_server/file-response.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

export const assetFileOperation = defineOperation({
  id: 'getAssetFile',
  tag: 'Assets',
  method: 'GET',
  path: '/assets/{id}/file',
  summary: 'Fetch a picture',
  description:
    'The file never changes and may be cached for good. Ranges and `If-None-Match` are understood.',
  params: idParams,
  query: z
    .object({ download: z.string().optional().describe('Present: the browser saves instead of showing') })
    .strict(),
  requestHeaders: { Range: 'One range of bytes', 'If-None-Match': 'An ETag that the client has' },
  responses: {
    200: { description: 'The file', contentType: 'image/png', headers: { ETag: 'The hash of the content' } },
    206: { description: 'The range that was asked for', contentType: 'image/png' },
    304: { description: 'The client has it already' },
    416: { description: 'The range lies beyond the file' },
  },
  errors: ['not_found'],
  async run({ params, query, headers, studio }) {
    return fileResponse(await getAssetFile(studio, params.id), headers, query.download !== undefined);
  },
});
