import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changeWeight,
  insertWords,
  movePhrase,
  promptsOf,
  walkHistory,
  type Edit,
} from '../../app/_lib/prompt-keys.ts';

/** `|` is the caret, or both ends of a selection. */
function at(marked: string): Edit {
  const [before = '', selected = '', ...rest] = marked.split('|');
  const hasSelection = rest.length > 0;
  const text = marked.replaceAll('|', '');
  return { text, start: before.length, end: before.length + (hasSelection ? selected.length : 0) };
}

function marked({ text, start, end }: Edit): string {
  const caret = start === end ? '|' : `|${text.slice(start, end)}|`;
  return text.slice(0, start) + caret + text.slice(end);
}

const up = (text: string) => marked(changeWeight(at(text), 1));
const down = (text: string) => marked(changeWeight(at(text), -1));

describe('the weight of words', () => {
  it('takes the word at the caret', () => {
    expect(up('a f|ox in snow')).toBe('a (|fox|:1.1) in snow');
    expect(down('a fox| in snow')).toBe('a (|fox|:0.9) in snow');
    expect(up('|fox')).toBe('(|fox|:1.1)');
  });

  it('goes on where it was, until the brackets are not needed', () => {
    expect(up('a (|fox|:1.1) in snow')).toBe('a (|fox|:1.2) in snow');
    expect(down('a (|fox|:1.1) in snow')).toBe('a |fox| in snow');
    expect(up('a (|fox|:0.9) in snow')).toBe('a |fox| in snow');
  });

  it('takes a selection as a whole, without the blanks around it', () => {
    expect(up('a| red fox |in snow')).toBe('a (|red fox|:1.1) in snow');
    expect(up('a |(red fox:1.3)| in snow')).toBe('a (|red fox|:1.4) in snow');
  });

  it('reads the short form as 1.1', () => {
    expect(up('a (|fox|)')).toBe('a (|fox|:1.2)');
    expect(down('a (f|ox)')).toBe('a |fox|');
  });

  it('weighs one word of several in a bracket by itself', () => {
    expect(up('(red f|ox:1.2)')).toBe('(red (|fox|:1.1):1.2)');
  });

  it('leaves brackets alone that are text', () => {
    expect(up('a \\(|fox|\\)')).toBe('a \\((|fox|:1.1)\\)');
  });

  it('does nothing where there is no word, and ends at 0', () => {
    expect(up('a , | fox')).toBe('a , | fox');
    expect(down('(|fox|:0)')).toBe('(|fox|:0)');
  });

  it('comes back after as many steps down as up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), (times) => {
        const steps = (edit: Edit, direction: 1 | -1) =>
          Array.from({ length: times }).reduce<Edit>((each) => changeWeight(each, direction), edit);
        expect(steps(steps(at('a |fox| in snow'), 1), -1)).toEqual(at('a |fox| in snow'));
      }),
    );
  });
});

describe('moving a phrase', () => {
  it('swaps it with its neighbour and takes the caret along', () => {
    expect(marked(movePhrase(at('a fox, soft li|ght, snow'), -1))).toBe('soft li|ght, a fox, snow');
    expect(marked(movePhrase(at('a fox, soft li|ght, snow'), 1))).toBe('a fox, snow, soft li|ght');
  });

  it('stays at the ends', () => {
    expect(marked(movePhrase(at('a |fox, snow'), -1))).toBe('a |fox, snow');
    expect(marked(movePhrase(at('a fox, sn|ow'), 1))).toBe('a fox, sn|ow');
  });

  it('puts it back with the opposite key', () => {
    const words = fc.stringMatching(/^[a-z$]{1,8}( [a-z]{1,4})?$/);
    fc.assert(
      fc.property(fc.array(words, { minLength: 2, maxLength: 5 }), fc.nat(), (phrases, place) => {
        const index = place % (phrases.length - 1);
        const start = phrases.slice(0, index).join(', ').length + (index === 0 ? 0 : 2);
        const edit = { text: phrases.join(', '), start, end: start };
        expect(movePhrase(movePhrase(edit, 1), -1).text).toBe(edit.text);
      }),
    );
  });
});

describe('putting words in', () => {
  it('separates them from what is there', () => {
    expect(marked(insertWords(at('|'), 'dusk'))).toBe('dusk|');
    expect(marked(insertWords(at('a fox|'), 'dusk'))).toBe('a fox, dusk|');
    expect(marked(insertWords(at('a fox,|'), 'dusk'))).toBe('a fox, dusk|');
    expect(marked(insertWords(at('|a fox'), 'dusk'))).toBe('dusk|, a fox');
    expect(marked(insertWords(at('a |fox| here'), 'dusk'))).toBe('a dusk| here');
  });
});

describe('the prompts of the history', () => {
  const prompts = promptsOf(['owl', 'fox', 'owl', 'cat'].map((prompt) => ({ params: { prompt } })));
  const walk = (keys: (1 | -1)[], written = 'new') =>
    keys.reduce((state, direction) => walkHistory(prompts, state, state.prompt, direction), {
      at: -1,
      unfinished: '',
      prompt: written,
    }).prompt;

  it('are there once each', () => {
    expect(prompts).toEqual(['owl', 'fox', 'cat']);
  });

  it('come back one by one, and what was being written after them', () => {
    expect(walk([1])).toBe('owl');
    expect(walk([1, 1, 1])).toBe('cat');
    expect(walk([1, 1, 1, 1])).toBe('cat');
    expect(walk([1, 1, -1])).toBe('owl');
    expect(walk([1, -1])).toBe('new');
    expect(walk([-1])).toBe('new');
  });

  it('skip the one that is written already', () => {
    expect(walk([1], 'owl')).toBe('fox');
  });

  it('begin anew where one was changed', () => {
    const state = walkHistory(prompts, { at: 1, unfinished: 'new' }, 'fox at dusk', 1);
    expect(state).toEqual({ at: 0, unfinished: 'fox at dusk', prompt: 'owl' });
  });
});
