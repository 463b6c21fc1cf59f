import { z } from 'zod';
import { planSchema, schedulerSchema, taskSchema } from './generation.ts';

/** One entry of GET /api/v1/models. */
export const modelSchema = z.object({
  id: z.string(),
  name: z.string(),
  tasks: z.array(taskSchema),
  licence: z.string(),
  bytes: z.int(),
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
