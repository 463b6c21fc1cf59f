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

/**
 * The known word that someone most likely meant by a mistyped one: a letter too many, too few, another or two swapped,
 * in long words twice. Undefined where none is near.
 */
export function nearestWord(word: string, vocabulary: readonly string[]): string | undefined {
  const reach = word.length < 4 ? 0 : word.length < 7 ? 1 : 2;
  let best: { word: string; distance: number } | undefined;
  for (const known of new Set(vocabulary.flatMap((entry) => wordsOf(entry)))) {
    if (Math.abs(known.length - word.length) > reach) continue;
    const distance = typingDistance(word, known);
    if (distance <= reach && distance < (best?.distance ?? Infinity)) best = { word: known, distance };
  }
  return best?.word;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function typingDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The prompt with one word in place of another, wherever that stands. */
export function replaceWord(prompt: string, word: string, by: string): string {
  return prompt.replaceAll(wordPattern, (match) =>
    match.toLowerCase().normalize('NFC') === word ? by : match,
  );
}
