/**
 * Words that stand for something else than themselves, found in a text: any case, the longest first, never inside a longer
 * word.
 */
export function* splitAtTriggers<T extends { readonly triggers: readonly string[] }>(
  text: string,
  things: readonly T[],
): Generator<string | T> {
  const byTrigger = new Map(
    things.flatMap((thing) => thing.triggers.map((trigger) => [folded(trigger), thing] as const)),
  );
  const pattern = triggerPattern([...byTrigger.keys()]);
  let end = 0;
  for (const match of pattern === null ? [] : text.matchAll(pattern)) {
    const thing = byTrigger.get(folded(match[0]));
    if (thing === undefined) continue;
    if (match.index > end) yield text.slice(end, match.index);
    yield thing;
    end = match.index + match[0].length;
  }
  if (end < text.length) yield text.slice(end);
}

/** Whether one of them stands in the text. */
export function mentions(text: string, triggers: readonly string[]): boolean {
  return [...splitAtTriggers(text, [{ triggers }])].some((piece) => typeof piece !== 'string');
}

function folded(word: string): string {
  return word.toLowerCase();
}

function triggerPattern(triggers: readonly string[]): RegExp | null {
  const alternatives = triggers
    .filter((trigger) => trigger.trim() !== '')
    .sort((a, b) => b.length - a.length)
    .map((trigger) => {
      const literal = trigger.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      const before = /^[\p{L}\p{N}]/u.test(trigger) ? '(?<![\\p{L}\\p{N}])' : '';
      const after = /[\p{L}\p{N}]$/u.test(trigger) ? '(?![\\p{L}\\p{N}])' : '';
      return `${before}${literal}${after}`;
    });
  return alternatives.length === 0 ? null : new RegExp(alternatives.join('|'), 'giu');
}
