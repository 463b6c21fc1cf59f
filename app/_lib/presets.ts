import type { PresetValues } from '../../lib/contracts/presets.ts';
import type { Draft } from './draft.ts';

/**
 * The draft with a preset's values; what the preset does not fix stays as it is. A preset is for any model: its `faster`
 * is the schedule that the chosen model has for that.
 */
export function applyPreset(draft: Draft, { strength, ...values }: PresetValues): Draft {
  return {
    ...draft,
    ...values,
    ...(values.plan === 'faster' && { plan: undefined }),
    ...(values.video !== undefined && { start: undefined }),
    ...(strength !== undefined && draft.start !== undefined && { start: { ...draft.start, strength } }),
  };
}

/** What of a draft a preset keeps: every setting that differs from the model's own, and neither words nor pictures. */
export function presetOf(draft: Draft): PresetValues {
  const { start, loras } = draft;
  const kept = {
    ...draft,
    plan: draft.plan ?? 'faster',
    prompt: undefined,
    seed: undefined,
    start: undefined,
    references: undefined,
    strength: start?.strength,
    loras: loras.length > 0 ? loras : undefined,
  };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined && value !== ''));
}
