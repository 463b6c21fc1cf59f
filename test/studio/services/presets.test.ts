import { expect, test } from 'vitest';
import { generationRequestSchema } from '../../../lib/contracts/generation.ts';
import { applyTemplate, presetInputSchema, presetSchema } from '../../../lib/contracts/presets.ts';
import { createPreset, deletePreset, listPresets, updatePreset } from '../../../lib/studio/services/index.ts';
import { testClock, testStudio } from '../../support/studio.ts';

test('presets are kept, changed and deleted; those of Encore stay', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const builtIn = await listPresets(studio);
  expect(builtIn.every((preset) => preset.builtIn && presetSchema.safeParse(preset).success)).toBe(true);

  const first = await createPreset(studio, { name: 'Mine', values: { steps: 30 } });
  clock.pass(1000);
  const second = await createPreset(studio, { name: 'Other', values: { plan: { every: 2 } } });
  clock.pass(1000);
  const changed = await updatePreset(studio, first.id, { values: { width: 512 } });
  expect(changed).toMatchObject({ name: 'Mine', values: { width: 512 } });
  const names = (await listPresets(studio)).map(({ name }) => name);
  expect(names.slice(0, 2)).toEqual(['Mine', 'Other']);
  await deletePreset(studio, second.id);
  expect(await listPresets(studio)).toHaveLength(builtIn.length + 1);

  const [one] = builtIn;
  await expect(updatePreset(studio, one?.id ?? '', { name: 'x' })).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(deletePreset(studio, 'nothing')).rejects.toMatchObject({ code: 'not_found' });
});

test('every preset of Encore makes a request that is accepted', async () => {
  for (const { values } of await listPresets(await testStudio())) {
    const { promptTemplate, ...fields } = values;
    const task = fields.video === undefined ? ('text-to-image' as const) : ('text-to-video' as const);
    const prompt = applyTemplate(promptTemplate, 'a fox');
    expect(prompt).toContain('a fox');
    if (task === 'text-to-image') generationRequestSchema.parse({ task, prompt, ...fields });
  }
});

test('a template without a place for the prompt, and unknown settings, are refused', () => {
  const parse = (values: object) => presetInputSchema.safeParse({ name: 'n', values });
  expect(parse({ promptTemplate: 'no place' }).success).toBe(false);
  expect(parse({ colour: 'red' }).success).toBe(false);
  expect(parse({ steps: 0 }).success).toBe(false);
  expect(parse({ promptTemplate: 'in {prompt} style', steps: 5 }).success).toBe(true);
  expect(applyTemplate('{prompt}, as {prompt}', '$& x')).toBe('$& x, as $& x');
});
