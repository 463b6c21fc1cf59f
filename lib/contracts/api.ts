import { z } from 'zod';
import {
  generationSchema,
  generationStatusSchema,
  limits,
  schedulerNames,
  taskSchema,
  tasks,
} from './generation.ts';
import { installedSchema, modelSchema } from './models.ts';
import { uploadLimits } from './pictures.ts';
import { planNames } from './plan.ts';
import { inputLimits, taskFields, videoFormats } from './task-inputs.ts';

/** Which part of the history is meant. Values arrive as text. */
const historyFilter = z
  .object({
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
    /** Asked for at this moment or later. */
    from: z.iso.datetime({ offset: true }).optional(),
    /** Asked for before this moment. */
    to: z.iso.datetime({ offset: true }).optional(),
  })
  .strict();

/** Most generations that can be asked for by their ids at once. */
export const MAX_IDS = 200;

/** Query of GET /api/v1/generations. */
export const generationQuerySchema = historyFilter
  .extend({
    cursor: z.string().max(200).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    /** Only these, with commas between them; those that are gone are left out. */
    ids: z
      .string()
      .max(20_000)
      .transform((text) => text.split(',').filter(Boolean))
      .pipe(z.array(z.string().max(100)).min(1).max(MAX_IDS))
      .optional(),
  })
  .strict();
export type GenerationQuery = z.infer<typeof generationQuerySchema>;

/** Query of GET /api/v1/generations/outline. */
export const outlineQuerySchema = historyFilter;
export type OutlineQuery = z.infer<typeof outlineQuerySchema>;

/** What is in the history and when it was asked for, without what it is: enough to lay out a gallery of any length. */
export const outlineSchema = z.object({
  /** Newest first. Quarters of an hour, because every time zone begins its days with one. */
  quarters: z.array(
    z.object({
      /** Start of the quarter, in ms since 1970. */
      at: z.int(),
      /** Newest first. */
      ids: z.array(z.string()),
    }),
  ),
});
export type Outline = z.infer<typeof outlineSchema>;

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

/** GET /api/v1/models without `kind`: models that draw. */
export const modelListSchema = z.object({ items: z.array(modelSchema) });
/** GET /api/v1/models with any `kind`. */
export const installedListSchema = z.object({ items: z.array(installedSchema) });

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
    /** What writes videos; null where none was found, or no worker has looked yet. */
    ffmpeg: z
      .object({
        version: z.string(),
        /** How it was found: `setting`, `ffmpeg-static`, `path` or `@ffmpeg-installer/ffmpeg`. */
        source: z.string(),
        formats: z.array(z.enum(videoFormats)),
      })
      .nullable()
      .default(null),
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
  /** By task: the fields it needs and those it may have, beside those that every task has. */
  fields: z.record(z.string(), z.object({ needs: z.array(z.string()), allows: z.array(z.string()) })),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** The part of {@link capabilitiesSchema} that does not depend on the machine. */
export const builtInCapabilities = {
  tasks: [...tasks],
  schedulers: [...schedulerNames],
  plans: [...planNames],
  limits: { ...limits, ...inputLimits, ...uploadLimits },
  fields: Object.fromEntries(
    tasks.map((task) => [task, { needs: [...taskFields[task].needs], allows: [...taskFields[task].allows] }]),
  ),
};
