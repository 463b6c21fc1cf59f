import { describe, expect, it } from 'vitest';
import { freshSentences, someOf } from '../../app/_lib/suggestions.ts';

const known = ['a fox in a meadow', 'a rocket in space', 'a whale on the sea'];

describe('sentences to start from', () => {
  it('leaves out what was made already, however it was written', () => {
    expect(freshSentences(known, ['A fox in a meadow ', 'a dog'])).toEqual([
      'a rocket in space',
      'a whale on the sea',
    ]);
  });

  it('begins anew when everything was made', () => {
    expect(freshSentences(known, known)).toEqual(known);
    expect(freshSentences([], known)).toEqual([]);
  });

  it('goes round, without saying anything twice', () => {
    expect(someOf(known, 2, 2)).toEqual(['a whale on the sea', 'a fox in a meadow']);
    expect(someOf(known, 1, 9)).toEqual(['a rocket in space', 'a whale on the sea', 'a fox in a meadow']);
    expect(someOf([], 4, 5)).toEqual([]);
  });
});
