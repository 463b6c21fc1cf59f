import { z } from 'zod';
import { queueSchema } from '../../../lib/contracts/api.ts';
import { generationSchema } from '../../../lib/contracts/generation.ts';
import { getQueue, moveInQueue, setQueuePaused } from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

const queue = { description: 'The queue', schema: queueSchema };

export const getQueueOperation = defineOperation({
  id: 'getQueue',
  tag: 'Queue',
  method: 'GET',
  path: '/queue',
  summary: 'See what runs and what waits',
  responses: { 200: queue },
  run: async ({ studio }) => ({ status: 200, body: await getQueue(studio) }),
});

export const pauseQueueOperation = defineOperation({
  id: 'pauseQueue',
  tag: 'Queue',
  method: 'POST',
  path: '/queue/pause',
  summary: 'Start nothing new',
  description: 'What runs goes on to its end. The pause outlasts a restart.',
  responses: { 200: queue },
  run: async ({ studio }) => ({ status: 200, body: await setQueuePaused(studio, true) }),
});

export const resumeQueueOperation = defineOperation({
  id: 'resumeQueue',
  tag: 'Queue',
  method: 'POST',
  path: '/queue/resume',
  summary: 'Go on',
  responses: { 200: queue },
  run: async ({ studio }) => ({ status: 200, body: await setQueuePaused(studio, false) }),
});

export const moveInQueueOperation = defineOperation({
  id: 'moveInQueue',
  tag: 'Queue',
  method: 'PATCH',
  path: '/queue/{id}',
  summary: 'Move a waiting generation',
  params: idParams,
  body: z.object({ position: z.int().min(0).describe('0 is the next to run') }).strict(),
  examples: { 'to the front': { position: 0 } },
  responses: { 200: { description: 'The moved generation', schema: generationSchema } },
  errors: ['not_found', 'conflict'],
  run: async ({ params, body, studio }) => ({
    status: 200,
    body: await moveInQueue(studio, params.id, body.position),
  }),
});
