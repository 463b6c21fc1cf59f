import { z } from 'zod';
import { generationSchema } from './generation.ts';
import { installationSchema } from './models.ts';

/**
 * Server-sent events. Each has a row and an ever-growing id before anyone sees it, so that `Last-Event-ID` replays
 * without a gap. `preview` carries a small picture as a data URL and is pruned once the generation is over.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('status'),
    generationId: z.string(),
    generation: generationSchema,
  }),
  z.object({
    type: z.literal('progress'),
    generationId: z.string(),
    progress: z.number(),
    step: z.int(),
    steps: z.int(),
    etaSeconds: z.number().nullable(),
    stage: z.enum(['load', 'text', 'denoise', 'vae', 'save']),
  }),
  z.object({
    type: z.literal('preview'),
    generationId: z.string(),
    step: z.int(),
    /** data:image/webp;base64,... */
    image: z.string(),
  }),
  z.object({ type: z.literal('deleted'), generationId: z.string() }),
  /** Something on its way from a hub moved on, changed its state, or was taken off the list (`removed`). */
  z.object({
    type: z.literal('install'),
    installation: installationSchema,
    removed: z.boolean().default(false),
  }),
]);
export type StudioEvent = z.infer<typeof eventSchema>;
