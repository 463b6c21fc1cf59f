import { expect, it } from 'vitest';
import { sentences } from '../../app/_lib/sentences.ts';

it('what went wrong and what to do are two sentences, whether or not they end like one', () => {
  expect(sentences('it was cut short', 'Fetch it again.')).toBe('it was cut short. Fetch it again.');
  expect(sentences('There is nothing here.', undefined)).toBe('There is nothing here.');
  expect(sentences()).toBe('');
});
