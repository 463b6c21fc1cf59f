import { z } from 'zod';
import {
  generationSchema,
  generationStatusSchema,
  limits,
  schedulerNames,
  taskSchema,
  tasks,
} from './generation.ts';
import { modelSchema } from './models.ts';

/** Query of GET /api/v1/generations. Values arrive as text. */
export const generationQuerySchema = z
  .object({
    cursor: z.string().max(200).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    /** Words that the prompt must contain. */
    q: z.string().trim().max(200).optional(),
    task: taskSchema.optional(),
    model: z.string().max(200).optional(),
    status: generationStatusSchema.optional(),
    /** A board's id, or `none` for what stands on no board. */
    board: z.string().max(100).optional(),
    starred: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .optional(),
  })
  .strict();
export type GenerationQuery = z.infer<typeof generationQuerySchema>;

/** Newest first. `nextCursor` is null on the last page. */
export const generationListSchema = z.object({
  items: z.array(generationSchema),
  nextCursor: z.string().nullable(),
});
export type GenerationList = z.infer<typeof generationListSchema>;

/** Body of PATCH /api/v1/generations/ID. */
export const generationPatchSchema = z
  .object({ starred: z.boolean(), boardId: z.string().max(100).nullable() })
  .partial()
  .strict();
export type GenerationPatch = z.infer<typeof generationPatchSchema>;

export const modelListSchema = z.object({ items: z.array(modelSchema) });

/** GET /api/v1/queue: what runs now and what waits, in the order it will run. */
export const queueSchema = z.object({
  paused: z.boolean(),
  running: z.array(generationSchema),
  queued: z.array(generationSchema),
});
export type Queue = z.infer<typeof queueSchema>;

/** GET /api/v1/health. `degraded` means that the pages work but nothing is drawn until the worker is back. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  worker: z.object({
    alive: z.boolean(),
    /** Where the engine computes, for example `cpu`; null before the first engine has started. */
    device: z.string().nullable(),
    lastSeenAt: z.iso.datetime().nullable(),
    /** What the engine keeps ready between jobs; null before its first job. */
    held: z.object({ model: z.string().nullable(), bytes: z.number().min(0) }).nullable(),
  }),
});
export type Health = z.infer<typeof healthSchema>;

/** GET /api/v1/capabilities: what this installation can do and where its limits are. */
export const capabilitiesSchema = z.object({
  version: z.string(),
  tasks: z.array(taskSchema),
  schedulers: z.array(z.enum(schedulerNames)),
  plans: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** The part of {@link capabilitiesSchema} that does not depend on the machine. */
export const builtInCapabilities = {
  tasks: [...tasks],
  schedulers: [...schedulerNames],
  plans: ['exact', 'faster', 'fastest'],
  limits: { ...limits },
};
