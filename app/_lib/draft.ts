'use client';
import { z } from 'zod';
import {
  generationRequestSchema,
  limits,
  planSchema,
  schedulerSchema,
  type Generation,
  type GenerationInput,
  type GenerationParams,
  type Plan,
} from '../../lib/contracts/generation.ts';
import { createPersistentStore, useStore } from './store.ts';

const shape = generationRequestSchema.shape;

/** What the person is about to ask for. A field that is missing is the model's own default. */
const draftSchema = z.object({
  prompt: z.string().max(limits.promptLength).catch(''),
  negativePrompt: shape.negativePrompt.catch(''),
  model: shape.model.catch(undefined),
  width: shape.width.catch(undefined),
  height: shape.height.catch(undefined),
  steps: shape.steps.catch(undefined),
  guidanceScale: shape.guidanceScale.catch(undefined),
  /** Missing: a fresh seed for every picture. */
  seed: shape.seed.catch(undefined),
  count: shape.count.catch(1),
  scheduler: schedulerSchema.optional().catch(undefined),
  plan: planSchema.catch('faster'),
  injection: shape.injection.catch(undefined),
});
export type Draft = z.infer<typeof draftSchema>;

export const emptyDraft: Draft = { prompt: '', negativePrompt: '', count: 1, plan: 'faster' };

export const draftStore = createPersistentStore<Draft>('encore.draft', emptyDraft, (raw) =>
  draftSchema.parse(raw),
);

export function useDraft(): Draft {
  return useStore(draftStore, (draft) => draft, emptyDraft);
}

export function updateDraft(change: Partial<Draft>): void {
  draftStore.set((draft) => ({ ...draft, ...change }));
}

/** Forgets every setting and keeps the words. */
export function resetSettings(): void {
  draftStore.set((draft) => ({ ...emptyDraft, prompt: draft.prompt }));
}

export function hasOwnSettings(draft: Draft): boolean {
  return (
    draft.negativePrompt !== '' ||
    draft.count !== 1 ||
    draft.plan !== 'faster' ||
    [
      draft.model,
      draft.width,
      draft.height,
      draft.steps,
      draft.guidanceScale,
      draft.seed,
      draft.scheduler,
      draft.injection,
    ].some((value) => value !== undefined)
  );
}

/** @param defaultSteps steps of a run that the draft leaves to the model */
export function toRequest(draft: Draft, defaultSteps: number): GenerationInput {
  return {
    task: 'text-to-image',
    ...draft,
    prompt: draft.prompt.trim(),
    plan: fitPlan(draft.plan, draft.steps ?? defaultSteps),
  };
}

/** A hand-made schedule may come from a longer run; what this one does not have is left out. */
export function fitPlan(plan: Plan, steps: number): Plan {
  if (typeof plan === 'string' || !('keySteps' in plan)) return plan;
  return {
    keySteps: [...new Set([0, ...plan.keySteps.filter((step) => step < steps)])].sort((a, b) => a - b),
  };
}

/** Which part of an older picture is taken over. `remix` is everything but the seed. */
export type Reuse = 'all' | 'remix' | 'prompt' | 'seed' | 'size';

export function reuse(part: Reuse, params: GenerationParams, seed: number): Partial<Draft> {
  const size = { width: params.width, height: params.height };
  const prompt = { prompt: params.prompt, negativePrompt: params.negativePrompt };
  if (part === 'prompt') return prompt;
  if (part === 'size') return size;
  if (part === 'seed') return { seed };
  return {
    ...prompt,
    ...size,
    model: params.model,
    steps: params.steps,
    guidanceScale: params.guidanceScale,
    count: part === 'all' ? 1 : params.count,
    scheduler: params.scheduler,
    plan: params.plan,
    injection: params.injection,
    seed: part === 'all' ? seed : undefined,
  };
}

/** The seed that draws exactly the picture in focus: each picture of a batch has its own. */
export function seedOf(generation: Generation, picture: number): number {
  return generation.assets[picture]?.seed ?? generation.seed;
}
