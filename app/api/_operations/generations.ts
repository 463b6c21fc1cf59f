import { z } from 'zod';
import {
  generationListSchema,
  generationPatchSchema,
  generationQuerySchema,
  outlineQuerySchema,
  outlineSchema,
} from '../../../lib/contracts/api.ts';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { generationRequestSchema, generationSchema } from '../../../lib/contracts/generation.ts';
import { bulkResultSchema, bulkSchema } from '../../../lib/contracts/studio.ts';
import {
  cancelGeneration,
  changeGenerations,
  createGeneration,
  deleteGeneration,
  getGeneration,
  listGenerations,
  outlineGenerations,
  restoreGeneration,
  retryGeneration,
  updateGeneration,
  verifyGeneration,
  waitForGeneration,
} from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { MAX_WAIT_SECONDS, readWait } from '../_server/prefer.ts';

export const idParams = z.object({ id: z.string().min(1).max(100) });

const one = { description: 'The generation', schema: generationSchema };

export const createGenerationOperation = defineOperation({
  id: 'createGeneration',
  tag: 'Generations',
  method: 'POST',
  path: '/generations',
  summary: 'Make a picture',
  description:
    'Stores the request and answers at once; the picture is made by the worker. What is left out of the body comes from the defaults of the model.',
  body: generationRequestSchema,
  examples: {
    'a picture': { task: 'text-to-image', prompt: 'a fox in a meadow', seed: 7, steps: 25, plan: 'faster' },
    'from a picture': {
      task: 'image-to-image',
      prompt: 'an owl in a meadow',
      image: '0f8fad5b-d9cb-469f-a165-70867728950e',
      strength: 0.6,
    },
    'part of a picture': {
      task: 'inpaint',
      prompt: 'a castle in the snow',
      image: '0f8fad5b-d9cb-469f-a165-70867728950e',
      mask: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
      maskBlur: 4,
    },
    'after a drawing': {
      task: 'reference',
      prompt: 'a cat on the beach',
      control: [
        {
          model: 'toybox-scribble',
          image: '0f8fad5b-d9cb-469f-a165-70867728950e',
          preprocessor: 'scribble',
        },
      ],
    },
    'with a LoRA, twice as large': {
      task: 'text-to-image',
      prompt: 'a robot at night',
      loras: [{ id: 'ink', weight: 0.8 }],
      upscale: { factor: 2 },
    },
    'a video': { task: 'text-to-video', prompt: 'a sailboat on the sea', video: { frames: 8, fps: 4 } },
  },
  requestHeaders: {
    Prefer: `\`wait=SECONDS\` (at most ${MAX_WAIT_SECONDS}) waits that long for the picture before answering.`,
    'Idempotency-Key':
      'Sending the same request again with the same key gives the same generation instead of a second one.',
  },
  responses: {
    201: { ...one, description: 'The finished generation, where `Prefer: wait` was long enough' },
    202: { ...one, description: 'The waiting generation', headers: { Location: 'Where to follow it' } },
  },
  errors: ['unknown_model', 'unsupported_task', 'idempotency_conflict', 'queue_full', 'storage_full'],
  async run({ body, headers, signal, studio }) {
    const idempotencyKey = headers.get('idempotency-key') ?? undefined;
    if (idempotencyKey !== undefined && (idempotencyKey === '' || idempotencyKey.length > 200)) {
      throw new EncoreError(
        'invalid_request',
        `Idempotency-Key has ${idempotencyKey.length} characters, expected 1 to 200.`,
      );
    }
    const { generation } = await createGeneration(studio, body, { idempotencyKey });
    const wait = readWait(headers.get('prefer'));
    const settled = wait > 0 ? await waitForGeneration(studio, generation.id, wait, signal) : generation;
    const isFinished = settled.finishedAt !== null;
    return {
      status: isFinished ? 201 : 202,
      body: settled,
      headers: {
        location: `/api/v1/generations/${generation.id}`,
        ...(wait > 0 ? { 'preference-applied': `wait=${wait}` } : {}),
      },
    };
  },
});

export const listGenerationsOperation = defineOperation({
  id: 'listGenerations',
  tag: 'Generations',
  method: 'GET',
  path: '/generations',
  summary: 'Browse what was made',
  description: 'Newest first. Ask again with `cursor` set to `nextCursor` until that is null.',
  query: generationQuerySchema,
  responses: { 200: { description: 'A page of generations', schema: generationListSchema } },
  run: async ({ query, studio }) => ({ status: 200, body: await listGenerations(studio, query) }),
});

export const outlineGenerationsOperation = defineOperation({
  id: 'outlineGenerations',
  tag: 'Generations',
  method: 'GET',
  path: '/generations/outline',
  summary: 'See how long the history is, and what is where',
  description:
    'The ids of everything that matches, newest first, by quarter of an hour. Ask for those in sight with `GET /generations?ids=`.',
  query: outlineQuerySchema,
  responses: { 200: { description: 'The outline', schema: outlineSchema } },
  run: async ({ query, studio }) => ({ status: 200, body: await outlineGenerations(studio, query) }),
});

export const getGenerationOperation = defineOperation({
  id: 'getGeneration',
  tag: 'Generations',
  method: 'GET',
  path: '/generations/{id}',
  summary: 'Look at one',
  params: idParams,
  responses: { 200: one },
  errors: ['not_found'],
  run: async ({ params, studio }) => ({ status: 200, body: await getGeneration(studio, params.id) }),
});

export const updateGenerationOperation = defineOperation({
  id: 'updateGeneration',
  tag: 'Generations',
  method: 'PATCH',
  path: '/generations/{id}',
  summary: 'Star it, or put it on a board',
  params: idParams,
  body: generationPatchSchema,
  examples: { 'with a star': { starred: true }, 'off its board': { boardId: null } },
  responses: { 200: one },
  errors: ['not_found'],
  run: async ({ params, body, studio }) => ({
    status: 200,
    body: await updateGeneration(studio, params.id, body),
  }),
});

export const deleteGenerationOperation = defineOperation({
  id: 'deleteGeneration',
  tag: 'Generations',
  method: 'DELETE',
  path: '/generations/{id}',
  summary: 'Delete it',
  description:
    'It disappears at once, is cancelled where it still runs, and can be restored until its files are purged.',
  params: idParams,
  responses: { 204: { description: 'Deleted' } },
  errors: ['not_found'],
  async run({ params, studio }) {
    await deleteGeneration(studio, params.id);
    return { status: 204 };
  },
});

export const restoreGenerationOperation = defineOperation({
  id: 'restoreGeneration',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/{id}/restore',
  summary: 'Undo a deletion',
  params: idParams,
  responses: { 200: one },
  errors: ['not_found'],
  run: async ({ params, studio }) => ({ status: 200, body: await restoreGeneration(studio, params.id) }),
});

export const bulkGenerationsOperation = defineOperation({
  id: 'changeGenerations',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/bulk',
  summary: 'Change many at once',
  description: 'All of them in one transaction. `changed` has those that were there and not already so.',
  body: bulkSchema,
  examples: {
    'delete two': {
      action: 'delete',
      ids: ['0f8fad5b-d9cb-469f-a165-70867728950e', '7c9e6679-7425-40de-944b-e07fc1f90ae7'],
    },
  },
  responses: { 200: { description: 'What changed', schema: bulkResultSchema } },
  errors: ['not_found'],
  run: async ({ body, studio }) => ({
    status: 200,
    body: { changed: await changeGenerations(studio, body) },
  }),
});

export const cancelGenerationOperation = defineOperation({
  id: 'cancelGeneration',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/{id}/cancel',
  summary: 'Cancel it',
  description:
    'A waiting one is cancelled at once; a running one is `cancelling` until the engine has let go.',
  params: idParams,
  responses: { 200: one },
  errors: ['not_found', 'conflict'],
  run: async ({ params, studio }) => ({ status: 200, body: await cancelGeneration(studio, params.id) }),
});

export const verifyGenerationOperation = defineOperation({
  id: 'verifyGeneration',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/{id}/verify',
  summary: 'Make it again exactly, as a proof',
  description:
    'Every step in full, with the same seed. When it is done its `comparison` says how far the two are apart, of videos frame by frame. Asking again gives the same generation.',
  params: idParams,
  responses: { 202: { ...one, description: 'The exact generation, waiting or done' } },
  errors: ['not_found', 'conflict', 'queue_full', 'storage_full'],
  run: async ({ params, studio }) => ({ status: 202, body: await verifyGeneration(studio, params.id) }),
});

export const retryGenerationOperation = defineOperation({
  id: 'retryGeneration',
  tag: 'Generations',
  method: 'POST',
  path: '/generations/{id}/retry',
  summary: 'Try a failed or cancelled one again',
  description: 'The same generation goes back into the queue, with the same parameters and seed.',
  params: idParams,
  responses: { 200: one },
  errors: ['not_found', 'conflict'],
  run: async ({ params, studio }) => ({ status: 200, body: await retryGeneration(studio, params.id) }),
});
