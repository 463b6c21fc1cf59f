'use client';
import { z } from 'zod';
import {
  generationRequestSchema,
  limits,
  planSchema,
  schedulerSchema,
} from '../../lib/contracts/generation.ts';
import {
  controlSchema,
  loraSchema,
  outpaintSchema,
  preprocessors,
  upscaleSchema,
  videoSchema,
} from '../../lib/contracts/task-inputs.ts';
import { pictureSchema } from '../../lib/contracts/pictures.ts';
import { presetValuesSchema } from '../../lib/contracts/presets.ts';
import { emptySketch, sketchSchema } from './sketch/sketch.ts';
import { createPersistentStore, useStore } from './store.ts';

const shape = generationRequestSchema.shape;

/** A picture that the studio keeps: an upload, or one of the history. */
const pictureRefSchema = pictureSchema.pick({
  id: true,
  width: true,
  height: true,
  url: true,
  thumbnailUrl: true,
});
export type PictureRef = z.infer<typeof pictureRefSchema>;

/** What is to be done with the picture one starts from: all of it anew, a part, what is around it, or the same larger. */
export const startUses = ['redraw', 'paint', 'extend', 'enlarge'] as const;
export type StartUse = (typeof startUses)[number];

const startSchema = z.object({
  picture: pictureRefSchema,
  use: z.enum(startUses),
  /** Missing: the default of the task. */
  strength: shape.strength,
  resize: shape.resize,
  mask: sketchSchema.catch(emptySketch),
  maskBlur: shape.maskBlur,
  maskedContent: shape.maskedContent,
  /** Missing: the whole picture is drawn, though only what is masked changes. */
  paddingMaskCrop: shape.paddingMaskCrop,
  outpaint: outpaintSchema,
  larger: upscaleSchema,
});
export type Start = z.infer<typeof startSchema>;

const referenceSchema = z.object({
  /** Tells two references apart while both are on the page. */
  key: z.string(),
  /** Missing: the first ControlNet that suits the source. */
  model: z.string().optional(),
  source: z.discriminatedUnion('kind', [
    /** `shape` is the paper it was drawn on. */
    z.object({
      kind: z.literal('drawing'),
      sketch: sketchSchema,
      shape: z.object({ width: z.number().positive(), height: z.number().positive() }),
    }),
    /** `none` where it is a control picture already; missing: what the ControlNet was trained on. */
    z.object({
      kind: z.literal('picture'),
      picture: pictureRefSchema,
      preprocessor: z.enum(preprocessors).optional(),
    }),
  ]),
  scale: controlSchema.shape.scale,
  start: controlSchema.shape.start,
  end: controlSchema.shape.end,
  mode: controlSchema.shape.mode,
});
export type Reference = z.infer<typeof referenceSchema>;

/** What the person is about to ask for. A field that is missing is the model's own default. */
export const draftSchema = z.object({
  prompt: z.string().max(limits.promptLength).catch(''),
  negativePrompt: shape.negativePrompt.catch(''),
  /** Words that a preset puts around the prompt. */
  promptTemplate: presetValuesSchema.shape.promptTemplate.catch(undefined),
  model: shape.model.catch(undefined),
  width: shape.width.catch(undefined),
  height: shape.height.catch(undefined),
  steps: shape.steps.catch(undefined),
  guidanceScale: shape.guidanceScale.catch(undefined),
  /** Missing: a fresh seed for every picture. */
  seed: shape.seed.catch(undefined),
  count: shape.count.catch(1),
  scheduler: schedulerSchema.optional().catch(undefined),
  plan: planSchema.optional().catch(undefined),
  injection: shape.injection.catch(undefined),
  clipSkip: shape.clipSkip.catch(undefined),
  start: startSchema.optional().catch(undefined),
  references: z.array(referenceSchema).default([]).catch([]),
  loras: z.array(loraSchema).default([]).catch([]),
  video: videoSchema.optional().catch(undefined),
  /** A second, larger pass over what was drawn. */
  upscale: upscaleSchema.optional().catch(undefined),
});
export type Draft = z.infer<typeof draftSchema>;

export const emptyDraft: Draft = {
  prompt: '',
  negativePrompt: '',
  count: 1,
  references: [],
  loras: [],
};

export const draftStore = createPersistentStore<Draft>('encore.draft', emptyDraft, (raw) =>
  draftSchema.parse(raw),
);

export function useDraft(): Draft {
  return useStore(draftStore, (draft) => draft, emptyDraft);
}

export function updateDraft(change: Partial<Draft>): void {
  draftStore.set((draft) => ({ ...draft, ...change }));
}

/** Forgets every setting and every input, and keeps the words. */
export function resetSettings(): void {
  draftStore.set((draft) => ({ ...emptyDraft, prompt: draft.prompt }));
}

export function hasOwnSettings(draft: Draft): boolean {
  return Object.entries({ ...draft, prompt: '' }).some(([field, value]) => {
    const initial = emptyDraft[field as keyof Draft];
    return Array.isArray(value) ? value.length > 0 : value !== initial;
  });
}
