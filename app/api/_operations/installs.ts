import {
  installationListSchema,
  installationSchema,
  installRequestSchema,
} from '../../../lib/contracts/models.ts';
import {
  cancelInstall,
  deleteInstall,
  getInstall,
  listInstalls,
  pauseInstall,
  requestInstall,
  resumeInstall,
} from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';

const installation = { description: 'The install', schema: installationSchema };

export const installModelOperation = defineOperation({
  id: 'installModel',
  tag: 'Models',
  method: 'POST',
  path: '/models/install',
  summary: 'Install from the hub',
  description:
    'The worker fetches a repository of the hub (ENCORE_HUB): a pipeline in diffusers layout, a ControlNet, or one .safetensors file. Its sha256 is compared, then it is inspected and moved into place. Progress comes as `install` events.',
  body: installRequestSchema,
  examples: {
    'a model': { repo: 'stable-diffusion-v1-5/stable-diffusion-v1-5' },
    'one file of many': { repo: 'someone/styles', revision: 'main', file: 'ink.safetensors' },
  },
  responses: { 202: { ...installation, headers: { Location: 'Where to follow it' } } },
  errors: ['queue_full'],
  async run({ body, studio }) {
    const made = await requestInstall(studio, body);
    return { status: 202, body: made, headers: { location: `/api/v1/models/installs/${made.id}` } };
  },
});

export const listInstallsOperation = defineOperation({
  id: 'listInstalls',
  tag: 'Models',
  method: 'GET',
  path: '/models/installs',
  summary: 'See what is on its way from the hub',
  responses: { 200: { description: 'Newest first, with the room there is', schema: installationListSchema } },
  run: async ({ studio }) => ({ status: 200, body: await listInstalls(studio) }),
});

export const getInstallOperation = defineOperation({
  id: 'getInstall',
  tag: 'Models',
  method: 'GET',
  path: '/models/installs/{id}',
  summary: 'Look at one install',
  params: idParams,
  responses: { 200: installation },
  errors: ['not_found'],
  run: async ({ params, studio }) => ({ status: 200, body: await getInstall(studio, params.id) }),
});

export const pauseInstallOperation = defineOperation({
  id: 'pauseInstall',
  tag: 'Models',
  method: 'POST',
  path: '/models/installs/{id}/pause',
  summary: 'Pause an install',
  description: 'What has come is kept.',
  params: idParams,
  responses: { 200: installation },
  errors: ['not_found', 'conflict'],
  run: async ({ params, studio }) => ({ status: 200, body: await pauseInstall(studio, params.id) }),
});

export const resumeInstallOperation = defineOperation({
  id: 'resumeInstall',
  tag: 'Models',
  method: 'POST',
  path: '/models/installs/{id}/resume',
  summary: 'Go on with an install',
  description: 'One that was paused, has failed or was cancelled. What has come is not fetched again.',
  params: idParams,
  responses: { 200: installation },
  errors: ['not_found', 'conflict'],
  run: async ({ params, studio }) => ({ status: 200, body: await resumeInstall(studio, params.id) }),
});

export const cancelInstallOperation = defineOperation({
  id: 'cancelInstall',
  tag: 'Models',
  method: 'POST',
  path: '/models/installs/{id}/cancel',
  summary: 'Cancel an install',
  description: 'What has come is thrown away.',
  params: idParams,
  responses: { 200: installation },
  errors: ['not_found', 'conflict'],
  run: async ({ params, studio }) => ({ status: 200, body: await cancelInstall(studio, params.id) }),
});

export const deleteInstallOperation = defineOperation({
  id: 'deleteInstall',
  tag: 'Models',
  method: 'DELETE',
  path: '/models/installs/{id}',
  summary: 'Take an install off the list',
  description: 'It is cancelled where it is not over. What is installed stays.',
  params: idParams,
  responses: { 204: { description: 'Gone' } },
  errors: ['not_found'],
  async run({ params, studio }) {
    await deleteInstall(studio, params.id);
    return { status: 204 };
  },
});
