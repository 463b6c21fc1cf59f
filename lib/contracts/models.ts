import { z } from 'zod';
import { planSchema, problemSchema, schedulerSchema, taskSchema } from './generation.ts';
import { preprocessors } from './task-inputs.ts';

/** What can be installed: a model draws by itself, the others change what a model draws. */
const modelKinds = ['model', 'controlnet', 'lora', 'embedding', 'motion'] as const;
const modelKindSchema = z.enum(modelKinds);
export type ModelKind = z.infer<typeof modelKindSchema>;

/** Folders of a models folder for people who sort theirs by kind, as other programs have them. */
export const shelves = {
  model: 'checkpoints',
  controlnet: 'controlnet',
  lora: 'loras',
  embedding: 'embeddings',
  motion: 'motion',
} as const satisfies Record<ModelKind, string>;
export const shelfNames: readonly string[] = Object.values(shelves);

const installed = {
  id: z.string(),
  name: z.string(),
  licence: z.string(),
  bytes: z.int(),
  /** Came with Encore, was linked from elsewhere on this machine, or was fetched from a hub. */
  source: z.enum(['bundled', 'added', 'hub']),
  /** Type of most of its weights, for example F16; null when their files cannot be read. */
  dtype: z.string().nullable(),
  /** Numbers in all weight files together; null when they cannot be read. */
  parameters: z.int().nullable(),
  /**
   * Size of the text states its attention reads (`cross_attention_dim`). Things fit together where these are the same;
   * null fits everything.
   */
  contextSize: z.int().nullable(),
  /** sha256 of its file, hex; null until the worker has read it, and for folders of several files. */
  sha256: z.string().nullable().default(null),
  /** Where it was fetched from, for example `ORG/NAME`. */
  repository: z.string().nullable().default(null),
} as const;

/** A model that draws. */
export const modelSchema = z.object({
  kind: z.literal('model').default('model'),
  ...installed,
  tasks: z.array(taskSchema),
  /** Class of the network that denoises, as diffusers names it. */
  architecture: z.string(),
  /** Width and height must be multiples of this. */
  sideMultiple: z.int(),
  defaults: z.object({
    width: z.int(),
    height: z.int(),
    steps: z.int(),
    guidanceScale: z.number(),
    scheduler: schedulerSchema,
    plan: planSchema,
  }),
  /** Words it knows and sentences to start from, where the model says so. */
  suggestions: z.array(z.string()),
  vocabulary: z.array(z.string()),
});
export type Model = z.infer<typeof modelSchema>;

/** What changes how a model draws: a ControlNet, a LoRA, an embedding, or a motion adapter for videos. */
export const adapterSchema = z.object({
  kind: z.enum(['controlnet', 'lora', 'embedding', 'motion']),
  ...installed,
  /** What it was made for in words, for example `sd_v1`, where its file says so. */
  base: z.string().nullable(),
  /** Words of a prompt that call it up. */
  triggers: z.array(z.string()),
  /** Of a LoRA: its largest rank. */
  rank: z.int().nullable(),
  /** Of a LoRA: how its keys are written, for example `kohya`. */
  dialect: z.string().nullable(),
  /** Of a ControlNet: what makes the pictures it was trained on, where its files or its name say so. */
  preprocessor: z.enum(preprocessors).nullable(),
});
export type Adapter = z.infer<typeof adapterSchema>;

/** One entry of GET /api/v1/models. */
export const installedSchema = z.union([modelSchema, adapterSchema]);
export type Installed = z.infer<typeof installedSchema>;

/** Query of GET /api/v1/models. */
export const modelQuerySchema = z.object({ kind: z.enum([...modelKinds, 'all']).default('model') }).strict();

/** Body of POST /api/v1/models. */
export const modelPathSchema = z
  .object({
    path: z
      .string()
      .min(1)
      .max(4096)
      .describe('Absolute path of a folder in diffusers layout, or of a .safetensors file'),
    kind: modelKindSchema.optional().describe('Refused when it turns out to be something else'),
  })
  .strict();

const installationStatuses = ['queued', 'running', 'paused', 'failed', 'cancelled', 'succeeded'] as const;

/** Something on its way from a hub. */
export const installationSchema = z.object({
  id: z.string(),
  /** `ORG/NAME` */
  repo: z.string(),
  /** Branch, tag or commit as it was asked for. */
  revision: z.string(),
  status: z.enum(installationStatuses),
  bytesDone: z.int(),
  /** Null until the hub has said what there is. */
  bytesTotal: z.int().nullable(),
  bytesPerSecond: z.number().nullable(),
  /** What is being fetched now. */
  file: z.string().nullable(),
  error: problemSchema.nullable(),
  /** What it became. */
  modelId: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
export type Installation = z.infer<typeof installationSchema>;

/** GET /api/v1/models/installs */
export const installationListSchema = z.object({
  items: z.array(installationSchema),
  /** What models from hubs may use on the disk, and use. */
  budgetBytes: z.int(),
  usedBytes: z.int(),
  hub: z.object({ address: z.string(), hasToken: z.boolean() }),
});
export type InstallationList = z.infer<typeof installationListSchema>;

/** A repository of a hub; also the form in which people copy it from the address bar. */
export const repositorySchema = z
  .string()
  .trim()
  .max(200)
  .regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/, 'must be ORG/NAME');

/** Body of POST /api/v1/models/install. */
export const installRequestSchema = z
  .object({
    repo: repositorySchema,
    revision: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .regex(/^[\w][\w./-]*$/, 'must be a branch, tag or commit')
      .default('main'),
    /** Of a repository with many: the one file to fetch. */
    file: z
      .string()
      .trim()
      .max(400)
      .regex(/^[\w][\w ./-]*\.safetensors$/, 'must be the path of a .safetensors file')
      .optional(),
  })
  .strict();
export type InstallRequest = z.infer<typeof installRequestSchema>;
