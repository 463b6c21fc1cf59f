import { describe, expect, it } from 'vitest';
import { readPrompt } from '../../app/_lib/words.ts';

const vocabulary = ['a', 'fox', 'in', 'the', 'meadow', 'city street', 'under', 'water', 'cactus'];

describe('reading a prompt with a model’s vocabulary', () => {
  it('tells known from unknown words, each once, in order', () => {
    expect(readPrompt('A Fox, a zeppelin and a ZEPPELIN in the meadow!', vocabulary)).toEqual({
      known: ['fox', 'meadow'],
      unknown: ['zeppelin'],
    });
  });

  it('knows the words of phrases, as they are listed', () => {
    expect(readPrompt('a Fox and a cactus on a street', vocabulary).unknown).toEqual([]);
    expect(readPrompt('two foxes', vocabulary)).toEqual({ known: [], unknown: ['two', 'foxes'] });
  });

  it('finds nothing unknown where the vocabulary is open or nothing is written', () => {
    expect(readPrompt('quantum chromodynamics', []).unknown).toEqual([]);
    expect(readPrompt('  ', vocabulary)).toEqual({ known: [], unknown: [] });
  });

  it('does not take weights for words', () => {
    expect(readPrompt('a (fox:1.2) [in] the (((meadow))) BREAK (cactus: .9)', vocabulary).unknown).toEqual(
      [],
    );
    expect(readPrompt('7 foxes at 1:2', vocabulary).unknown).toEqual(['7', 'foxes', '1', '2']);
  });

  it('knows the words that adapters brought with them', () => {
    expect(readPrompt('a fox, soft light', vocabulary, ['Soft Light'])).toEqual({
      known: ['fox', 'soft', 'light'],
      unknown: [],
    });
  });

  it('reads other scripts', () => {
    expect(readPrompt('лиса fox', vocabulary)).toEqual({ known: ['fox'], unknown: ['лиса'] });
  });
});
