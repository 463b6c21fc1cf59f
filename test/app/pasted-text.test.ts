import { expect, it } from 'vitest';
import { looksLikeParameters } from '../../app/_lib/pasted-text.ts';

it.each([
  ['a fox\nNegative prompt: dull\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1', true],
  ['a fox\r\nSteps: 20, Sampler: Euler a, Seed: 1', true],
  ['{"prompt": "a fox", "seed": 3}', true],
  ['{"sui_image_params": {"prompt": "a fox"}}', true],
  ['a fox in a meadow', false],
  ['Steps: of stone, in a garden', false],
  ['{red|blue} fox', false],
])('%j is parameters: %s', (text, expected) => {
  expect(looksLikeParameters(text)).toBe(expected);
});
