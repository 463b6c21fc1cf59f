import { inputLimits, upscaleSchema, videoSchema } from '../../lib/contracts/task-inputs.ts';
import type { Side } from './borders.ts';
import { draftStore, updateDraft, type Draft, type PictureRef, type Reference, type Start } from './draft.ts';
import { emptySketch } from './sketch/sketch.ts';

/** Changes of the draft's inputs. What cannot go together is resolved here, so that a draft is always one task. */

export const noBorders = { left: 0, top: 0, right: 0, bottom: 0 } as const;

export function newStart(picture: PictureRef, use: Start['use'] = 'redraw'): Start {
  return { picture, use, mask: emptySketch, outpaint: { ...noBorders }, larger: upscaleSchema.parse({}) };
}

/** Words alone. */
export const noInputs = {
  promptTemplate: undefined,
  start: undefined,
  references: [],
  loras: [],
  video: undefined,
  upscale: undefined,
} satisfies Partial<Draft>;

/** A picture to start from gives its size, and ends a video: that starts from words alone. */
export function withStart(start: Start): Partial<Draft> {
  return { start, video: undefined, width: undefined, height: undefined };
}

export function updateStart(change: Partial<Start>): void {
  draftStore.set((draft) =>
    draft.start === undefined ? draft : { ...draft, start: { ...draft.start, ...change } },
  );
}

export function setBorder(side: Side, pixels: number): void {
  const { start } = draftStore.get();
  if (start !== undefined) updateStart({ outpaint: { ...start.outpaint, [side]: pixels } });
}

export function withVideo(): Partial<Draft> {
  return { video: videoSchema.parse({}), start: undefined, upscale: undefined, count: 1 };
}

export function newReference(source: Reference['source']): Reference {
  return { key: crypto.randomUUID(), source, scale: 1, start: 0, end: 1 };
}

export function canAddReference({ references }: Draft): boolean {
  return references.length < inputLimits.maxControls;
}

export function addReference(reference: Reference): void {
  draftStore.set((draft) =>
    canAddReference(draft) ? { ...draft, references: [...draft.references, reference] } : draft,
  );
}

export function updateReference(key: string, change: Partial<Reference>): void {
  draftStore.set((draft) => ({
    ...draft,
    references: draft.references.map((each) => (each.key === key ? { ...each, ...change } : each)),
  }));
}

export function removeReference(key: string): void {
  draftStore.set((draft) => ({
    ...draft,
    references: draft.references.filter((each) => each.key !== key),
  }));
}

export function setLora(id: string, weight: number | null): void {
  const { loras } = draftStore.get();
  const others = loras.filter((lora) => lora.id !== id);
  if (weight === null) updateDraft({ loras: others });
  else if (others.length < loras.length) {
    updateDraft({ loras: loras.map((lora) => (lora.id === id ? { id, weight } : lora)) });
  } else if (loras.length < inputLimits.maxLoras) updateDraft({ loras: [...loras, { id, weight }] });
}
