import { z } from 'zod';
import {
  generationListSchema,
  healthSchema,
  installedListSchema,
  modelListSchema,
  outlineSchema,
  queueSchema,
  type GenerationPatch,
} from '../../lib/contracts/api.ts';
import {
  generationSchema,
  problemSchema,
  type Generation,
  type GenerationInput,
  type Problem,
} from '../../lib/contracts/generation.ts';
import {
  boardListSchema,
  boardSchema,
  bulkResultSchema,
  pictureInfoSchema,
  settingsSchema,
  type BoardInput,
  type Bulk,
  type Settings,
} from '../../lib/contracts/studio.ts';
import {
  adapterSchema,
  type ModelKind,
  installationListSchema,
  installationSchema,
  installedSchema,
  type InstallRequest,
} from '../../lib/contracts/models.ts';
import { uploadSchema, type Preprocess } from '../../lib/contracts/pictures.ts';
import {
  presetListSchema,
  presetSchema,
  type PresetInput,
  type PresetPatch,
} from '../../lib/contracts/presets.ts';
import { createStore } from './store.ts';

/** True while the studio refuses this browser for want of a token. */
export const lockedStore = createStore(false);

/** A refusal of the API, or the failure to reach it, always with a sentence for the person. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

const unreachable: Problem = {
  type: 'about:blank',
  title: 'Encore cannot be reached',
  status: 0,
  code: 'internal',
  detail: 'The studio did not answer. It may have been stopped, or it is still starting.',
  remedy: 'Start it with `npm start`; this page goes on by itself.',
  errors: [],
};

interface CallOptions {
  body?: unknown;
  /** Sent as it is, in place of a JSON body. */
  file?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const misunderstood: Problem = {
  ...unreachable,
  title: 'The answer was not understood',
  status: 502,
  detail: 'The studio answered in a way that this page does not know.',
  remedy: 'Reload the page: it may be older than the studio.',
};

async function call<Schema extends z.ZodType>(
  schema: Schema,
  method: string,
  path: string,
  { body, file, headers, signal }: CallOptions = {},
): Promise<z.infer<Schema>> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      signal,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(unreachable, { cause: error });
  }
  const text = await response.text();
  if (!response.ok) {
    if (response.status === 401 && path !== '/session') lockedStore.set(true);
    const problem = problemSchema.safeParse(safeJson(text));
    throw new ApiError(problem.success ? problem.data : { ...unreachable, status: response.status });
  }
  const answer = schema.safeParse(text === '' ? undefined : safeJson(text));
  if (!answer.success) throw new ApiError(misunderstood, { cause: answer.error });
  return answer.data;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const adapterListSchema = z.object({ items: z.array(adapterSchema) });

type InstallInput = Pick<InstallRequest, 'repo'> & Partial<InstallRequest>;

export const api = {
  generate: (input: GenerationInput): Promise<Generation> =>
    call(generationSchema, 'POST', '/generations', {
      body: input,
      // A click that is sent twice by a bad connection makes one picture.
      headers: { 'idempotency-key': crypto.randomUUID() },
    }),
  generation: (id: string, signal?: AbortSignal) =>
    call(generationSchema, 'GET', `/generations/${id}`, { signal }),
  /** A page of the history, newest first. */
  generations: (cursor: string | undefined, limit: number, signal?: AbortSignal) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor !== undefined) query.set('cursor', cursor);
    return call(generationListSchema, 'GET', `/generations?${query}`, { signal });
  },
  generationsById: (ids: readonly string[]) =>
    call(generationListSchema, 'GET', `/generations?${new URLSearchParams({ ids: ids.join(',') })}`),
  outline: (query: Record<string, string>, signal?: AbortSignal) =>
    call(outlineSchema, 'GET', `/generations/outline?${new URLSearchParams(query)}`, { signal }),
  cancel: (id: string) => call(generationSchema, 'POST', `/generations/${id}/cancel`),
  retry: (id: string) => call(generationSchema, 'POST', `/generations/${id}/retry`),
  update: (id: string, body: GenerationPatch) =>
    call(generationSchema, 'PATCH', `/generations/${id}`, { body }),
  remove: (id: string) => call(z.unknown(), 'DELETE', `/generations/${id}`),
  restore: (id: string) => call(generationSchema, 'POST', `/generations/${id}/restore`),
  bulk: (body: Bulk) => call(bulkResultSchema, 'POST', '/generations/bulk', { body }),
  verify: (id: string) => call(generationSchema, 'POST', `/generations/${id}/verify`),
  readMetadata: (file: Blob) => call(pictureInfoSchema, 'POST', '/metadata', { file }),
  upload: (file: Blob, name = '', signal?: AbortSignal) =>
    call(uploadSchema, 'POST', `/uploads?${new URLSearchParams({ name })}`, { file, signal }),
  preprocess: (body: Preprocess, signal?: AbortSignal) =>
    call(uploadSchema, 'POST', '/preprocess', { body, signal }),
  adapters: (kind: Exclude<ModelKind, 'model'>, signal?: AbortSignal) =>
    call(adapterListSchema, 'GET', `/models?kind=${kind}`, { signal }),
  presets: (signal?: AbortSignal) => call(presetListSchema, 'GET', '/presets', { signal }),
  createPreset: (body: PresetInput) => call(presetSchema, 'POST', '/presets', { body }),
  updatePreset: (id: string, body: PresetPatch) => call(presetSchema, 'PATCH', `/presets/${id}`, { body }),
  removePreset: (id: string) => call(z.unknown(), 'DELETE', `/presets/${id}`),
  boards: (signal?: AbortSignal) => call(boardListSchema, 'GET', '/boards', { signal }),
  createBoard: (body: BoardInput) => call(boardSchema, 'POST', '/boards', { body }),
  renameBoard: (id: string, body: BoardInput) => call(boardSchema, 'PATCH', `/boards/${id}`, { body }),
  removeBoard: (id: string) => call(z.unknown(), 'DELETE', `/boards/${id}`),
  models: (signal?: AbortSignal) => call(modelListSchema, 'GET', '/models', { signal }),
  installed: (signal?: AbortSignal) => call(installedListSchema, 'GET', '/models?kind=all', { signal }),
  addModel: (path: string) => call(installedSchema, 'POST', '/models', { body: { path } }),
  removeModel: (id: string) => call(z.unknown(), 'DELETE', `/models/${encodeURIComponent(id)}`),
  installs: (signal?: AbortSignal) => call(installationListSchema, 'GET', '/models/installs', { signal }),
  install: (body: InstallInput) => call(installationSchema, 'POST', '/models/install', { body }),
  changeInstall: (id: string, verb: 'pause' | 'resume' | 'cancel') =>
    call(installationSchema, 'POST', `/models/installs/${id}/${verb}`),
  forgetInstall: (id: string) => call(z.unknown(), 'DELETE', `/models/installs/${id}`),
  queue: (signal?: AbortSignal) => call(queueSchema, 'GET', '/queue', { signal }),
  pauseQueue: () => call(queueSchema, 'POST', '/queue/pause'),
  resumeQueue: () => call(queueSchema, 'POST', '/queue/resume'),
  moveInQueue: (id: string, position: number) =>
    call(generationSchema, 'PATCH', `/queue/${id}`, { body: { position } }),
  settings: (signal?: AbortSignal) => call(settingsSchema, 'GET', '/settings', { signal }),
  updateSettings: (body: Partial<Settings>) => call(settingsSchema, 'PATCH', '/settings', { body }),
  health: (signal?: AbortSignal) => call(healthSchema, 'GET', '/health', { signal }),
  closeSession: () => call(z.unknown(), 'DELETE', '/session'),
  openSession: (token: string) => call(z.unknown(), 'POST', '/session', { body: { token } }),
};
