import { z } from 'zod';
import { planSchema, schedulerSchema, taskSchema } from './generation.ts';

/** One entry of GET /api/v1/models. */
export const modelSchema = z.object({
  id: z.string(),
  name: z.string(),
  tasks: z.array(taskSchema),
  licence: z.string(),
  bytes: z.int(),
  /** Came with Encore, or was added on this machine. */
  source: z.enum(['bundled', 'added']),
  /** Class of the network that denoises, as diffusers names it. */
  architecture: z.string(),
  /** Type of most of its weights, for example F16; null when their files cannot be read. */
  dtype: z.string().nullable(),
  /** Numbers in all weight files together; null when they cannot be read. */
  parameters: z.int().nullable(),
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
