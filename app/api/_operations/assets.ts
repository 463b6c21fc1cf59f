import { z } from 'zod';
import {
  bulkExportSchema,
  exportFormats,
  exportQuerySchema,
  MAX_EXPORTED,
  pictureInfoSchema,
  thumbnailSides,
} from '../../../lib/contracts/studio.ts';
import {
  exportAsset,
  exportGenerations,
  getAssetFile,
  getPoster,
  getThumbnail,
  readPictureInfo,
} from '../../../lib/studio/services/index.ts';
import { fileRequestHeaders, fileResponse, fileResponses } from '../_server/file-response.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

/** A GIF is an animation and no picture. */
const videoTypes = ['video/mp4', 'video/webm', 'image/gif', 'image/webp'];

export const assetFileOperation = defineOperation({
  id: 'getAssetFile',
  tag: 'Assets',
  method: 'GET',
  path: '/assets/{id}/file',
  summary: 'Fetch a picture or video',
  description:
    'The file never changes and may be cached for good. Ranges and `If-None-Match` are understood.',
  params: idParams,
  query: z
    .object({ download: z.string().optional().describe('Present: the browser saves instead of showing') })
    .strict(),
  requestHeaders: fileRequestHeaders,
  responses: fileResponses('image/png', ...videoTypes),
  errors: ['not_found', 'range_not_satisfiable'],
  async run({ params, query, headers, studio }) {
    return fileResponse(await getAssetFile(studio, params.id), headers, query.download !== undefined);
  },
});

export const thumbnailQuery = z
  .object({
    side: z.coerce
      .number()
      .meta({ enum: thumbnailSides })
      .pipe(z.union(thumbnailSides.map((side) => z.literal(side))))
      .default(256),
  })
  .strict();

export const posterOperation = defineOperation({
  id: 'getPoster',
  tag: 'Assets',
  method: 'GET',
  path: '/assets/{id}/poster',
  summary: 'Fetch the picture that stands for a video',
  params: idParams,
  requestHeaders: fileRequestHeaders,
  responses: fileResponses('image/webp'),
  errors: ['not_found', 'range_not_satisfiable'],
  run: async ({ params, headers, studio }) =>
    fileResponse(await getPoster(studio, params.id), headers, false),
});

export const thumbnailOperation = defineOperation({
  id: 'getThumbnail',
  tag: 'Assets',
  method: 'GET',
  path: '/assets/{id}/thumbnail',
  summary: 'Fetch a picture small',
  description:
    'Fits into a square of `side` pixels; a picture that is no larger comes as it is. Of a video its poster.',
  params: idParams,
  query: thumbnailQuery,
  requestHeaders: fileRequestHeaders,
  responses: fileResponses('image/webp', 'image/png'),
  errors: ['not_found', 'range_not_satisfiable'],
  async run({ params, query, headers, studio }) {
    return fileResponse(await getThumbnail(studio, params.id, query.side), headers, false);
  },
});

export const exportAssetOperation = defineOperation({
  id: 'exportAsset',
  tag: 'Assets',
  method: 'GET',
  path: '/assets/{id}/export',
  summary: 'Save a picture in another format, or without how it was made',
  params: idParams,
  query: exportQuerySchema,
  responses: {
    200: {
      description: 'The file',
      contentType: [...exportFormats.map((format) => `image/${format}`), ...videoTypes],
    },
  },
  errors: ['not_found'],
  async run({ params, query, studio }) {
    const { bytes, type, fileName } = await exportAsset(studio, params.id, query);
    return new Response(new Uint8Array(bytes), {
      headers: {
        'content-type': type,
        'content-length': String(bytes.byteLength),
        'content-disposition': `attachment; filename="${fileName}"`,
        'cache-control': 'private, no-cache',
      },
    });
  },
});

/** Ids are 36 characters, and a form writes a comma as three. */
const MAX_EXPORT_BODY_BYTES = MAX_EXPORTED * 40;

export const exportGenerationsOperation = defineOperation({
  id: 'exportGenerations',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/export',
  summary: 'Save many as one zip file',
  description: 'The zip file is made while it is sent. Takes a form too, which is how a page saves it.',
  body: bulkExportSchema,
  examples: {
    'two pictures as JPEG': {
      ids: '0f8fad5b-d9cb-469f-a165-70867728950e,7c9e6679-7425-40de-944b-e07fc1f90ae7',
      format: 'jpeg',
    },
  },
  form: { maxBytes: MAX_EXPORT_BODY_BYTES },
  responses: { 200: { description: 'The zip file', contentType: 'application/zip' } },
  errors: ['not_found'],
  async run({ body, studio }) {
    return new Response(await exportGenerations(studio, body), {
      headers: {
        'content-type': 'application/zip',
        'content-disposition': 'attachment; filename="encore-pictures.zip"',
        'cache-control': 'private, no-cache',
      },
    });
  },
});

/** Larger than any picture people pass around. */
const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

export const readMetadataOperation = defineOperation({
  id: 'readMetadata',
  tag: 'Assets',
  method: 'POST',
  path: '/metadata',
  summary: 'Ask a picture how it was made',
  description:
    'Understands files of Encore, A1111 and Forge, Fooocus, SwarmUI, ComfyUI, InvokeAI and NovelAI, and the text that A1111 and its kin write into them. Nothing is kept.',
  file: { maxBytes: MAX_PICTURE_BYTES, description: 'A PNG, JPEG or WebP file, or such text in UTF-8' },
  responses: { 200: { description: 'What the picture says', schema: pictureInfoSchema } },
  errors: ['invalid_parameter'],
  run: async ({ file, studio }) => ({ status: 200, body: await readPictureInfo(studio, file) }),
});
