/**
 * Sentences to start from: those that were not made yet come first, and whoever has made them all begins anew.
 * @param suggestions of the model
 * @param made prompts of the history
 */
export function freshSentences(suggestions: readonly string[], made: Iterable<string>): string[] {
  const known = new Set([...made].map((prompt) => prompt.trim().toLowerCase()));
  const fresh = suggestions.filter((sentence) => !known.has(sentence.toLowerCase()));
  return fresh.length > 0 ? fresh : [...suggestions];
}

/** `count` of them from `start` on; after the last comes the first again, and none comes twice. */
export function someOf(sentences: readonly string[], start: number, count: number): string[] {
  const { length } = sentences;
  return Array.from({ length: Math.min(count, length) }, (_, i) => sentences[(start + i) % length] ?? '');
}
