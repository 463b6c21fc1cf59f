import { describe, expect, it } from 'vitest';
import { emptyDraft, hasOwnSettings } from '../../app/_lib/draft.ts';
import { reuse, seedOf } from '../../app/_lib/hand-over.ts';
import { toRequest } from '../../app/_lib/request.ts';
import { generationRequestSchema } from '../../lib/contracts/generation.ts';
import { exampleGeneration } from './support.ts';

const generation = exampleGeneration({ params: { ...exampleGeneration().params, count: 2 } });
const { params } = generation;

describe('what is asked for', () => {
  it('is a valid request, with the model’s defaults left to the model', () => {
    const request = generationRequestSchema.parse(
      JSON.parse(JSON.stringify(toRequest({ ...emptyDraft, prompt: ' a fox ' }, 50))),
    );
    expect(request).toEqual({
      task: 'text-to-image',
      prompt: 'a fox',
      negativePrompt: '',
      count: 1,
    });
  });

  it('leaves out key steps that a shorter run does not have', () => {
    const draft = { ...emptyDraft, prompt: 'a fox', plan: { keySteps: [0, 4, 20, 40] } };
    expect(toRequest({ ...draft, steps: 30 }, 50).plan).toEqual({ keySteps: [0, 4, 20] });
    expect(toRequest(draft, 10).plan).toEqual({ keySteps: [0, 4] });
    expect(toRequest(draft, 50).plan).toEqual(draft.plan);
  });

  it('knows whether anything was set', () => {
    expect(hasOwnSettings({ ...emptyDraft, prompt: 'a fox' })).toBe(false);
    expect(hasOwnSettings({ ...emptyDraft, seed: 0 })).toBe(true);
    expect(hasOwnSettings({ ...emptyDraft, plan: { keySteps: [0, 9] } })).toBe(true);
  });
});

describe('using a picture again', () => {
  it('takes everything, for this one picture of a batch', () => {
    const again = { ...emptyDraft, ...reuse('all', generation, seedOf(generation, 1)) };
    expect(toRequest(again, 50)).toEqual({ ...params, count: 1, seed: 8 });
  });

  it('takes everything but the seed', () => {
    expect(reuse('remix', generation, 7)).toEqual({
      ...reuse('all', generation, 7),
      seed: undefined,
      count: 2,
    });
  });

  it('takes one part and leaves the rest alone', () => {
    expect(reuse('prompt', generation, 7)).toEqual({ prompt: 'a fox in a meadow', negativePrompt: '' });
    expect(reuse('seed', generation, 7)).toEqual({ seed: 7 });
    expect(reuse('size', generation, 7)).toEqual({ width: 128, height: 128 });
  });
});
