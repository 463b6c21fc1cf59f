/** Text of a field and what is selected in it. */
export interface Edit {
  text: string;
  start: number;
  end: number;
}

const STEP = 0.1;
const LARGEST = 9.9;
/** A whole selection that carries a weight: `(fox:1.2)`, and the short form `(fox)`, which is 1.1. */
const weighted = /^\(((?:[^()\\]|\\.)*?)(?::\s*([+-]?(?:\d+\.?\d*|\.\d+)))?\)$/s;

/**
 * Adds 0.1 to the weight of what is selected, or of the word at the caret, in A1111's syntax, or takes it away. Brackets go
 * where the weight is 1 again. The words stay selected without brackets, so that pressing again goes on.
 */
export function changeWeight({ text, start, end }: Edit, direction: 1 | -1): Edit {
  const [from, to] = trimmed(text, start === end ? wordAt(text, start) : [start, end]);
  if (from === to) return { text, start, end };
  const [outerFrom, outerTo] = withBrackets(text, from, to);
  const match = weighted.exec(text.slice(outerFrom, outerTo));
  const words = match?.[1] ?? text.slice(outerFrom, outerTo);
  const weight = match === null ? 1 : match[2] === undefined ? 1.1 : Number(match[2]);
  const next = Math.min(LARGEST, Math.max(0, Math.round((weight + direction * STEP) * 100) / 100));
  const isPlain = next === 1;
  const replacement = isPlain ? words : `(${words}:${next})`;
  const at = outerFrom + (isPlain ? 0 : 1);
  return {
    text: text.slice(0, outerFrom) + replacement + text.slice(outerTo),
    start: at,
    end: at + words.length,
  };
}

const wordCharacter = /[\p{L}\p{N}_'-]/u;

function wordAt(text: string, caret: number): [number, number] {
  let from = caret;
  let to = caret;
  while (from > 0 && wordCharacter.test(text[from - 1] ?? '')) from -= 1;
  while (to < text.length && wordCharacter.test(text[to] ?? '')) to += 1;
  return [from, to];
}

function trimmed(text: string, [from, to]: [number, number]): [number, number] {
  const words = text.slice(from, to);
  const before = words.length - words.trimStart().length;
  return before === words.length ? [from, from] : [from + before, from + words.trimEnd().length];
}

/** The range with the brackets that stand right around it, where those hold nothing else. */
function withBrackets(text: string, from: number, to: number): [number, number] {
  if (text[from - 1] !== '(' || text[from - 2] === '\\') return [from, to];
  const tail = /^(?::\s*[+-]?(?:\d+\.?\d*|\.\d+))?\)/.exec(text.slice(to));
  return tail === null ? [from, to] : [from - 1, to + tail[0].length];
}

/** Moves the phrase at the caret, that is what stands between commas, one place to the front or the back. */
export function movePhrase({ text, start, end }: Edit, direction: 1 | -1): Edit {
  const phrases = text.split(',');
  let begin = 0;
  const at = phrases.findIndex((phrase) => {
    const isHere = start <= begin + phrase.length;
    if (!isHere) begin += phrase.length + 1;
    return isHere;
  });
  const to = at + direction;
  const [phrase, other] = [phrases[at], phrases[to]];
  if (phrase === undefined || other === undefined) return { text, start, end };
  // Blanks stay in their places; only the words move.
  const [word, otherWord] = [phrase.trim(), other.trim()];
  phrases[at] = phrase.replace(word, () => otherWord);
  phrases[to] = other.replace(otherWord, () => word);
  const lead = (index: number) => phrases.slice(0, index).join(',').length + (index === 0 ? 0 : 1);
  const blanks = (text: string) => text.length - text.trimStart().length;
  const offset = Math.max(0, start - begin - blanks(phrase));
  const caret = lead(to) + blanks(phrases[to] ?? '') + Math.min(offset, word.length);
  return { text: phrases.join(','), start: caret, end: caret };
}

/** Puts words where the caret is, with what separates them from what is there already. */
export function insertWords({ text, start, end }: Edit, words: string): Edit {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const lead = before === '' || /[\s(]$/.test(before) ? '' : /,$/.test(before) ? ' ' : ', ';
  const trail = after === '' || /^[\s,.)]/.test(after) ? '' : ', ';
  const caret = start + lead.length + words.length;
  return { text: before + lead + words + trail + after, start: caret, end: caret };
}

/** Prompts of the history, newest first, each once. */
export function promptsOf(history: readonly { params: { prompt: string } }[]): string[] {
  return [...new Set(history.map(({ params }) => params.prompt))];
}

/**
 * The prompt `steps` before (1) or after (-1) the one that is written, and where that is in the history; -1 is what was
 * being written before going back.
 */
export function walkHistory(
  prompts: readonly string[],
  { at, unfinished }: { at: number; unfinished: string },
  current: string,
  direction: 1 | -1,
): { at: number; unfinished: string; prompt: string } {
  // What was changed since is a new beginning.
  const isThere = at >= 0 && prompts[at] === current;
  const from = isThere ? at : -1;
  const kept = isThere ? unfinished : current;
  let next = from + direction;
  if (from === -1 && prompts[next] === current) next += direction;
  if (next >= prompts.length) return { at: from, unfinished: kept, prompt: current };
  if (next < 0) return { at: -1, unfinished: kept, prompt: kept };
  return { at: next, unfinished: kept, prompt: prompts[next] ?? kept };
}
