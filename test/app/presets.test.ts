import { describe, expect, it } from 'vitest';
import { emptyDraft, type Draft } from '../../app/_lib/draft.ts';
import { newStart, withVideo } from '../../app/_lib/inputs.ts';
import { applyPreset, presetOf } from '../../app/_lib/presets.ts';
import { presetValuesSchema } from '../../lib/contracts/presets.ts';

const picture = { id: 'p', width: 64, height: 64, url: '/p', thumbnailUrl: '/p' };
const draft: Draft = {
  ...emptyDraft,
  prompt: 'a fox',
  seed: 7,
  steps: 40,
  loras: [{ id: 'l', weight: 0.5 }],
  start: { ...newStart(picture), strength: 0.4 },
};

describe('presets', () => {
  it('keep settings, but neither words nor pictures nor the seed', () => {
    const values = presetOf(draft);
    expect(values).toEqual({
      steps: 40,
      count: 1,
      plan: 'faster',
      strength: 0.4,
      loras: [{ id: 'l', weight: 0.5 }],
    });
    expect(presetValuesSchema.parse(values)).toEqual(values);
  });

  it('leave alone what they do not fix', () => {
    const applied = applyPreset(draft, { guidanceScale: 2, promptTemplate: '{prompt}, dusk' });
    expect(applied).toEqual({ ...draft, guidanceScale: 2, promptTemplate: '{prompt}, dusk' });
  });

  it('mean by their pace what the chosen model has for it', () => {
    const fastest: Draft = { ...draft, plan: 'fastest' };
    expect(applyPreset(fastest, { plan: 'faster' }).plan).toBeUndefined();
    expect(applyPreset(draft, { plan: 'fastest' }).plan).toBe('fastest');
  });

  it('bring everything back that they kept', () => {
    const { prompt, seed, start } = draft;
    expect(applyPreset({ ...emptyDraft, prompt, seed, start }, presetOf(draft))).toEqual(draft);
  });

  it('make a video of a draft with a picture, which has none', () => {
    const { video } = withVideo();
    expect(applyPreset(draft, { video })).toMatchObject({ video, start: undefined });
  });
});
