/** Words that carry no picture of their own and are known to every model. */
const fillers = new Set(
  'a an and the of in on at with under over by near to is are it its some this that from into beside'.split(
    ' ',
  ),
);

const wordPattern = /[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*/gu;
/** What weighs words in A1111's syntax is no word: `:1.2)`, `BREAK`. */
const weightPattern = /:\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*\)|\bBREAK\b/g;

/** Words of a prompt in lower case, in order, each once. */
export function wordsOf(text: string): string[] {
  const plain = text.replaceAll(weightPattern, ' ').toLowerCase();
  return [...new Set((plain.match(wordPattern) ?? []).map((word) => word.normalize('NFC')))];
}

export interface Reading {
  /** Words the model was taught. */
  known: string[];
  /** Words it has never seen; it will guess. */
  unknown: string[];
}

/**
 * Splits a prompt into what a model with a closed vocabulary understands and what it does not. Words count as they are
 * listed: "foxes" is another token than "fox", known where the list has it. `learned` are words that adapters brought
 * with them. An empty vocabulary means an open one: nothing is unknown.
 */
export function readPrompt(
  prompt: string,
  vocabulary: readonly string[],
  learned: readonly string[] = [],
): Reading {
  const words = wordsOf(prompt).filter((word) => !fillers.has(word));
  if (vocabulary.length === 0) return { known: words, unknown: [] };
  const known = new Set([...vocabulary, ...learned].flatMap((entry) => wordsOf(entry)));
  return {
    known: words.filter((word) => known.has(word)),
    unknown: words.filter((word) => !known.has(word)),
  };
}
