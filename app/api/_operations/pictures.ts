import {
  controlQuerySchema,
  pictureSchema,
  preprocessSchema,
  uploadLimits,
  uploadListQuerySchema,
  uploadListSchema,
  uploadQuerySchema,
  uploadSchema,
} from '../../../lib/contracts/pictures.ts';
import {
  createUpload,
  deleteUpload,
  getControlPicture,
  getPicture,
  getPictureFile,
  getPictureThumbnail,
  getUpload,
  keepControlPicture,
  listUploads,
} from '../../../lib/studio/services/index.ts';
import { fileRequestHeaders, fileResponse, fileResponses } from '../_server/file-response.ts';
import { defineOperation } from '../_server/operation.ts';
import { thumbnailQuery } from './assets.ts';
import { idParams } from './generations.ts';

const upload = { description: 'The upload', schema: uploadSchema };

export const createUploadOperation = defineOperation({
  id: 'createUpload',
  tag: 'Pictures',
  method: 'POST',
  path: '/uploads',
  summary: 'Send a picture to draw from',
  description:
    'The bytes of a PNG, JPEG, WebP or AVIF file, raw or as the one file of a form. It is kept upright, in sRGB at 8 bits, without metadata, as PNG. The same picture sent again is the same upload. What nothing was made from goes after two weeks.',
  query: uploadQuerySchema,
  file: { maxBytes: uploadLimits.maxUploadBytes, description: 'The picture', form: true },
  responses: {
    201: { ...upload, headers: { Location: 'Where it is found again' } },
    200: { ...upload, description: 'It was there already' },
  },
  errors: ['invalid_parameter', 'storage_full'],
  async run({ file, fileName, query, studio }) {
    const { upload, created } = await createUpload(studio, file, query.name === '' ? fileName : query.name);
    return {
      status: created ? 201 : 200,
      body: upload,
      headers: { location: `/api/v1/uploads/${upload.id}` },
    };
  },
});

export const listUploadsOperation = defineOperation({
  id: 'listUploads',
  tag: 'Pictures',
  method: 'GET',
  path: '/uploads',
  summary: 'List the uploads',
  query: uploadListQuerySchema,
  responses: { 200: { description: 'Newest first', schema: uploadListSchema } },
  run: async ({ query, studio }) => ({ status: 200, body: await listUploads(studio, query) }),
});

export const getUploadOperation = defineOperation({
  id: 'getUpload',
  tag: 'Pictures',
  method: 'GET',
  path: '/uploads/{id}',
  summary: 'Look at an upload',
  params: idParams,
  responses: { 200: upload },
  errors: ['not_found'],
  run: async ({ params, studio }) => ({ status: 200, body: await getUpload(studio, params.id) }),
});

export const deleteUploadOperation = defineOperation({
  id: 'deleteUpload',
  tag: 'Pictures',
  method: 'DELETE',
  path: '/uploads/{id}',
  summary: 'Delete an upload',
  description: 'What was made from it keeps the picture. Sending it again brings it back.',
  params: idParams,
  responses: { 204: { description: 'Gone' } },
  errors: ['not_found'],
  async run({ params, studio }) {
    await deleteUpload(studio, params.id);
    return { status: 204 };
  },
});

export const getPictureOperation = defineOperation({
  id: 'getPicture',
  tag: 'Pictures',
  method: 'GET',
  path: '/pictures/{id}',
  summary: 'Look at a picture that can be drawn from',
  description:
    'By the id of an upload or of a picture of the history. An id stays valid for as long as something was made from the picture.',
  params: idParams,
  responses: { 200: { description: 'The picture', schema: pictureSchema } },
  errors: ['not_found'],
  run: async ({ params, studio }) => ({ status: 200, body: await getPicture(studio, params.id) }),
});

export const pictureFileOperation = defineOperation({
  id: 'getPictureFile',
  tag: 'Pictures',
  method: 'GET',
  path: '/pictures/{id}/file',
  summary: 'Fetch a picture that can be drawn from',
  params: idParams,
  requestHeaders: fileRequestHeaders,
  responses: fileResponses('image/png'),
  errors: ['not_found', 'range_not_satisfiable'],
  run: async ({ params, headers, studio }) =>
    fileResponse(await getPictureFile(studio, params.id), headers, false),
});

export const pictureThumbnailOperation = defineOperation({
  id: 'getPictureThumbnail',
  tag: 'Pictures',
  method: 'GET',
  path: '/pictures/{id}/thumbnail',
  summary: 'Fetch a picture that can be drawn from, small',
  params: idParams,
  query: thumbnailQuery,
  requestHeaders: fileRequestHeaders,
  responses: fileResponses('image/webp', 'image/png'),
  errors: ['not_found', 'range_not_satisfiable'],
  run: async ({ params, query, headers, studio }) =>
    fileResponse(await getPictureThumbnail(studio, params.id, query.side), headers, false),
});

export const controlPictureOperation = defineOperation({
  id: 'getControlPicture',
  tag: 'Pictures',
  method: 'GET',
  path: '/pictures/{id}/control',
  summary: 'See what a ControlNet would be shown of a picture',
  description: 'White lines on black, at most 1024 pixels a side.',
  params: idParams,
  query: controlQuerySchema,
  responses: { 200: { description: 'The control picture', contentType: 'image/png' } },
  errors: ['not_found'],
  async run({ params, query, studio }) {
    const { file } = await getControlPicture(studio, params.id, query.preprocessor);
    return new Response(new Uint8Array(file), {
      headers: {
        'content-type': 'image/png',
        'content-length': String(file.byteLength),
        // The same picture gives the same lines, as long as they are found in the same way.
        'cache-control': 'private, max-age=3600',
      },
    });
  },
});

export const preprocessOperation = defineOperation({
  id: 'preprocess',
  tag: 'Pictures',
  method: 'POST',
  path: '/preprocess',
  summary: 'Make a control picture, and keep it',
  description:
    'The control picture becomes an upload of its own: it can be fetched, drawn on, sent back, and used with `preprocessor: none`.',
  body: preprocessSchema,
  examples: {
    'edges of an upload': { image: '0f8fad5b-d9cb-469f-a165-70867728950e', preprocessor: 'canny' },
  },
  responses: { 201: upload },
  errors: ['not_found', 'storage_full'],
  run: async ({ body, studio }) => ({
    status: 201,
    body: await keepControlPicture(studio, body.image, body.preprocessor),
  }),
});
