import { z } from 'zod';
import {
  builtInCapabilities,
  capabilitiesSchema,
  healthSchema,
  installedListSchema,
} from '../../../lib/contracts/api.ts';
import { installedSchema, modelPathSchema, modelQuerySchema } from '../../../lib/contracts/models.ts';
import { settingsSchema } from '../../../lib/contracts/studio.ts';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import {
  addModel,
  getHealth,
  getSettings,
  listModels,
  removeModel,
  updateSettings,
} from '../../../lib/studio/services/index.ts';
import { isEqual, SESSION_COOKIE, sessionValue } from '../_server/access.ts';
import { defineOperation } from '../_server/operation.ts';
import { idParams } from './generations.ts';
import packageJson from '../../../package.json' with { type: 'json' };

const { version } = packageJson;

export const listModelsOperation = defineOperation({
  id: 'listModels',
  tag: 'Models',
  method: 'GET',
  path: '/models',
  summary: 'List the models',
  description:
    'Models that draw, or with `kind` what changes how they draw. Things fit together where their `contextSize` is the same, or one has none.',
  query: modelQuerySchema,
  responses: {
    200: { description: 'What is installed, the default model first', schema: installedListSchema },
  },
  run: async ({ query, studio }) => ({
    status: 200,
    body: { items: await listModels(studio, query.kind) },
  }),
});

export const addModelOperation = defineOperation({
  id: 'addModel',
  tag: 'Models',
  method: 'POST',
  path: '/models',
  summary: 'Add a model from this machine',
  description:
    'A folder in diffusers layout, or a .safetensors file: checkpoint, ControlNet, LoRA or embedding. It is looked at and linked, not copied; it has to stay where it is.',
  body: modelPathSchema,
  examples: {
    'a folder': { path: '/home/me/models/stable-diffusion-v1-5' },
    'a file': { path: '/home/me/loras/ink.safetensors', kind: 'lora' },
  },
  responses: { 201: { description: 'What was added', schema: installedSchema } },
  errors: ['checkpoint_not_found', 'checkpoint_invalid', 'checkpoint_unsupported', 'conflict'],
  run: async ({ body, studio }) => ({ status: 201, body: await addModel(studio, body.path, body.kind) }),
});

export const removeModelOperation = defineOperation({
  id: 'removeModel',
  tag: 'Models',
  method: 'DELETE',
  path: '/models/{id}',
  summary: 'Take a model away',
  description: 'The files of an added one stay where they are; those of one from a hub are deleted.',
  params: idParams,
  responses: { 204: { description: 'Gone' } },
  errors: ['not_found', 'conflict'],
  async run({ params, studio }) {
    await removeModel(studio, params.id);
    return { status: 204 };
  },
});

export const capabilitiesOperation = defineOperation({
  id: 'getCapabilities',
  tag: 'Studio',
  method: 'GET',
  path: '/capabilities',
  summary: 'Ask what can be done here, and within which limits',
  responses: { 200: { description: 'Tasks, schedulers, plans and limits', schema: capabilitiesSchema } },
  run: () => Promise.resolve({ status: 200, body: { version, ...builtInCapabilities } }),
});

export const healthOperation = defineOperation({
  id: 'getHealth',
  tag: 'Studio',
  method: 'GET',
  path: '/health',
  summary: 'Ask whether all is well',
  open: true,
  responses: { 200: { description: 'The state of web and worker', schema: healthSchema } },
  run: async ({ studio }) => ({ status: 200, body: await getHealth(studio, version) }),
});

const settings = { description: 'The settings', schema: settingsSchema };

export const getSettingsOperation = defineOperation({
  id: 'getSettings',
  tag: 'Studio',
  method: 'GET',
  path: '/settings',
  summary: 'Read the settings',
  responses: { 200: settings },
  run: async ({ studio }) => ({ status: 200, body: await getSettings(studio) }),
});

export const updateSettingsOperation = defineOperation({
  id: 'updateSettings',
  tag: 'Studio',
  method: 'PATCH',
  path: '/settings',
  summary: 'Change some of the settings',
  body: settingsSchema.partial().strict(),
  examples: { 'files that say nothing': { embedMetadata: false } },
  responses: { 200: settings },
  run: async ({ body, studio }) => ({ status: 200, body: await updateSettings(studio, body) }),
});

/** 30 days */
const SESSION_SECONDS = 30 * 24 * 60 * 60;

export const openSessionOperation = defineOperation({
  id: 'openSession',
  tag: 'Studio',
  method: 'POST',
  path: '/session',
  summary: 'Sign a browser in with the token',
  description: 'Programs need no session: they send `Authorization: Bearer TOKEN`.',
  open: true,
  body: z.object({ token: z.string().max(1000) }).strict(),
  examples: { 'a token': { token: 'the value of ENCORE_TOKEN' } },
  responses: { 204: { description: 'Signed in', headers: { 'Set-Cookie': 'The session' } } },
  errors: ['unauthorized'],
  run({ body, studio }) {
    const { token } = studio.env;
    if (token === undefined) return Promise.resolve({ status: 204 });
    if (!isEqual(body.token, token)) {
      throw new EncoreError('unauthorized', 'This is not the token of this studio.');
    }
    const cookie = `${SESSION_COOKIE}=${sessionValue(token)}; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict`;
    return Promise.resolve({ status: 204, headers: { 'set-cookie': cookie } });
  },
});

export const closeSessionOperation = defineOperation({
  id: 'closeSession',
  tag: 'Studio',
  method: 'DELETE',
  path: '/session',
  summary: 'Sign this browser out',
  open: true,
  responses: { 204: { description: 'Signed out' } },
  run: () =>
    Promise.resolve({
      status: 204,
      headers: { 'set-cookie': `${SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict` },
    }),
});
