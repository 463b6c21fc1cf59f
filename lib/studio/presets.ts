import type { Preset } from '../contracts/presets.ts';

/**
 * Presets that come with Encore. They name no model and no size: they suit whichever is chosen, the bundled one included,
 * whose sentences are short and whose words are few.
 */
export const builtInPresets: readonly Preset[] = [
  preset('sketch', 'Quick sketch', { steps: 12, plan: 'fastest', scheduler: 'dpmpp-2m-karras', count: 4 }),
  preset('everyday', 'Everyday', { steps: 25, plan: 'faster', scheduler: 'dpmpp-2m-karras', count: 1 }),
  preset('careful', 'Careful, every step in full', {
    steps: 50,
    plan: 'exact',
    scheduler: 'ddim',
    injection: 'off',
    count: 1,
  }),
  preset('night', 'At night', { promptTemplate: '{prompt} at night' }),
  preset('snow', 'In the snow', { promptTemplate: '{prompt} in the snow' }),
  preset('clip', 'Short clip', { video: { frames: 8, fps: 4, motion: { x: 12, y: 12 }, format: 'mp4' } }),
];

function preset(id: string, name: string, values: Preset['values']): Preset {
  return { id: `encore-${id}`, name, builtIn: true, values, updatedAt: null };
}
