import { describe, expect, it } from 'vitest';
import { nearestWord, readPrompt, replaceWord } from '../../app/_lib/words.ts';

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

describe('a mistyped word', () => {
  const known = ['fox', 'rocket', 'teddy bear', 'mushroom', 'penguin', 'car', 'cat'];

  it('is taken for the one that it is nearest to', () => {
    expect(nearestWord('rokcet', known)).toBe('rocket');
    expect(nearestWord('mushrom', known)).toBe('mushroom');
    expect(nearestWord('pengiun', known)).toBe('penguin');
    expect(nearestWord('tedy', known)).toBe('teddy');
    expect(nearestWord('foxx', known)).toBe('fox');
  });

  it('is left alone where it may be anything', () => {
    expect(nearestWord('zeppelin', known)).toBeUndefined();
    // So short that every word is near.
    expect(nearestWord('cap', known)).toBeUndefined();
    expect(nearestWord('rocking', known)).toBeUndefined();
  });

  it('gives way in the prompt wherever it stands, and nothing else does', () => {
    expect(replaceWord('A Foxx, foxx-like and foxxes', 'foxx', 'fox')).toBe('A fox, foxx-like and foxxes');
    expect(replaceWord('(foxx:1.2)', 'foxx', 'fox')).toBe('(fox:1.2)');
  });
});
