import { z } from 'zod';
import { generationRequestSchema, planSchema, schedulerSchema } from './generation.ts';

/** A named shelf of the history; a generation stands on one at most. */
export const boardSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Generations on it that are not deleted. */
  count: z.int(),
  /** Newest picture on it, for its cover. */
  coverAssetId: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
export type Board = z.infer<typeof boardSchema>;

export const boardListSchema = z.object({ items: z.array(boardSchema) });

/** Body of POST /api/v1/boards and PATCH /api/v1/boards/ID. */
export const boardInputSchema = z.object({ name: z.string().trim().min(1).max(100) }).strict();
export type BoardInput = z.infer<typeof boardInputSchema>;

/** Body of POST /api/v1/generations/bulk. */
export const bulkSchema = z.discriminatedUnion('action', [
  z.object({ action: z.enum(['delete', 'restore', 'star', 'unstar']), ids: bulkIds() }).strict(),
  z.object({ action: z.literal('move'), ids: bulkIds(), boardId: z.string().nullable() }).strict(),
]);
export type Bulk = z.infer<typeof bulkSchema>;

function bulkIds() {
  return z.array(z.string().max(100)).min(1).max(1000);
}

/** Those that were there and changed; the others of the request were not there or already so. */
export const bulkResultSchema = z.object({ changed: z.array(z.string()) });

/** GET and PATCH /api/v1/settings. */
export const settingsSchema = z.object({
  /** Nothing new is started while this is on. */
  queuePaused: z.boolean(),
  /** Whether pictures say in themselves how they were made. The IPTC source type is written either way. */
  embedMetadata: z.boolean(),
  /** Model of requests that name none; empty, and where it is no longer installed: the one that came with Encore. */
  defaultModel: z.string().max(200),
});
export type Settings = z.infer<typeof settingsSchema>;

export const thumbnailSides = [128, 256, 512] as const;
export const exportFormats = ['png', 'jpeg', 'webp', 'avif'] as const;

/** Query of GET /api/v1/assets/ID/export. */
export const exportQuerySchema = z
  .object({
    format: z.enum(exportFormats).default('png'),
    /** `false` strips how it was made; the IPTC source type stays. */
    metadata: z
      .enum(['true', 'false'])
      .default('true')
      .transform((value) => value === 'true'),
  })
  .strict();
export type ExportQuery = z.infer<typeof exportQuerySchema>;

/** Most generations whose pictures go into one zip file. */
export const MAX_EXPORTED = 50_000;

/** Body of POST /api/v1/generations/export: their pictures as one zip file. Also as a form, so that a page can save it. */
export const bulkExportSchema = exportQuerySchema
  .extend({
    /** Ids with commas between them. */
    ids: z
      .string()
      .max(MAX_EXPORTED * 40)
      .transform((text) => text.split(',').filter(Boolean))
      .pipe(z.array(z.string().max(100)).min(1).max(MAX_EXPORTED)),
  })
  .strict();
export type BulkExport = z.infer<typeof bulkExportSchema>;

const pictureSources = ['encore', 'a1111', 'fooocus', 'swarmui', 'comfyui', 'invokeai', 'novelai'] as const;

const { shape } = generationRequestSchema;

/** The part of a request that a file can say. */
export const reusableSchema = z
  .object({
    prompt: z.string(),
    negativePrompt: z.string(),
    /** Only where such a model is installed. */
    model: z.string(),
    width: shape.width.unwrap(),
    height: shape.height.unwrap(),
    steps: shape.steps.unwrap(),
    guidanceScale: shape.guidanceScale.unwrap(),
    seed: shape.seed.unwrap(),
    scheduler: schedulerSchema,
    plan: planSchema,
    injection: z.number().min(0).max(1),
    clipSkip: shape.clipSkip.unwrap(),
    /** Only those that are installed. */
    loras: shape.loras.unwrap(),
  })
  .partial();
export type Reusable = z.infer<typeof reusableSchema>;

/** Answer of POST /api/v1/metadata: what a picture says about how it was made. */
export const pictureInfoSchema = z.object({
  /** Whose way of writing it was recognised; null when the file says nothing. */
  source: z.enum(pictureSources).nullable(),
  /** What of it a request can use; values that are out of range here are left out. */
  params: reusableSchema,
  /** Model and sampler as the file names them, for the person. */
  modelName: z.string().nullable(),
  samplerName: z.string().nullable(),
  /** Everything as it was found, by its keyword. */
  raw: z.record(z.string(), z.string()),
});
export type PictureInfo = z.infer<typeof pictureInfoSchema>;
