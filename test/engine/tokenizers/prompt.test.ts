import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { ClipTokenizer } from '../../../lib/engine/tokenizers/clip.ts';
import { chunkPrompt } from '../../../lib/engine/tokenizers/prompt-chunks.ts';
import { parsePromptWeights } from '../../../lib/engine/tokenizers/prompt-weights.ts';

// Reference: training/golden/prompts.py, written from AUTOMATIC1111's rules in Python.
const reference = JSON.parse(await readFile('test/golden/prompts/prompts.json', 'utf8')) as {
  parsed: { text: string; parts: [string, number][] }[];
  cases: { model: string; case: string; text: string; ids: number[][]; weights: number[][] }[];
};

describe('weights', () => {
  test.each(reference.parsed)('$text', ({ text, parts }) => {
    const parsed = parsePromptWeights(text).map((part) =>
      part === 'break' ? ['BREAK', -1] : [part.text, part.weight],
    );
    expect(parsed.map(([piece]) => piece)).toEqual(parts.map(([piece]) => piece));
    parsed.forEach(([, weight], i) => expect(weight).toBeCloseTo(parts[i]![1], 12));
  });

  test('BREAK within brackets breaks all the same', () => {
    expect(parsePromptWeights('(a BREAK b:1.2)')).toEqual([
      { text: 'a', weight: 1.2 },
      'break',
      { text: 'b', weight: 1.2 },
    ]);
  });

  test('whatever is typed, nothing but brackets, weights and BREAK goes missing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('(', ')', '[', ']', ':', '\\', '1.2', 'a', ' ', 'BREAK', '🦊') }),
        (text) => {
          const parts = parsePromptWeights(text);
          expect(parts.length).toBeGreaterThan(0);
          const kept = parts.map((part) => (part === 'break' ? '' : part.text)).join('');
          expect(kept.match(/a|🦊/gu)?.length).toBe(text.match(/a|🦊/gu)?.length);
          for (const part of parts) if (part !== 'break') expect(Number.isFinite(part.weight)).toBe(true);
        },
      ),
    );
  });
});

describe('chunks', () => {
  const tokenizers = new Map<string, ClipTokenizer>();
  beforeAll(async () => {
    for (const name of ['tiny-sd', 'tiny-sd2']) {
      tokenizers.set(name, await ClipTokenizer.load(`test/golden/${name}/tokenizer`));
    }
  });

  test.each(reference.cases)('$model $case', ({ model, text, ids, weights }) => {
    const { chunks, tokens } = chunkPrompt(tokenizers.get(model)!, text, 77);
    expect(chunks.map((chunk) => chunk.ids)).toEqual(ids);
    chunks.forEach((chunk, i) =>
      chunk.weights.forEach((weight, k) => expect(weight).toBeCloseTo(weights[i]![k]!, 12)),
    );
    const { bosId, eosId, padId } = tokenizers.get(model)!;
    const words = ids
      .flat()
      .filter((id) => id !== bosId && id !== eosId && (id !== padId || padId === eosId));
    expect(tokens).toBe(words.length);
  });

  test('every chunk has the length asked for, and no token is lost', () => {
    const tokenizer = tokenizers.get('tiny-sd')!;
    const word = fc.constantFrom('fox', 'meadow,', 'robot', ',', '(snow:1.2)', 'a', '🦊');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), fc.integer({ min: 3, max: 77 }), (words, positions) => {
        const text = words.join(' ');
        const { chunks, tokens } = chunkPrompt(tokenizer, text, positions);
        for (const { ids, weights } of chunks) {
          expect([ids.length, weights.length]).toEqual([positions, positions]);
          expect([ids[0], ids.at(-1)]).toEqual([tokenizer.bosId, tokenizer.eosId]);
        }
        const kept = chunks.flatMap(({ ids }) =>
          ids.filter((id) => id !== tokenizer.bosId && id !== tokenizer.eosId),
        );
        expect(kept).toHaveLength(tokens);
        expect(kept).toEqual(
          parsePromptWeights(text).flatMap((part) => (part === 'break' ? [] : tokenizer.tokenize(part.text))),
        );
      }),
    );
  });
});
