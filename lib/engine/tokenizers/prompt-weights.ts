/** A piece of a prompt and how much its tokens count; `break` ends a chunk. */
export type PromptPart = { readonly text: string; readonly weight: number } | 'break';

/** What `(` and `[` without a number multiply by. */
const round = 1.1;
const square = 1 / 1.1;

const pattern = /\\[()[\]\\]|\\|\(|\[|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|\)|\]|[^\\()[\]:]+|:/g;
const breakPattern = /\s*\bBREAK\b\s*/;

/**
 * Attention weights as AUTOMATIC1111 defines them (modules/prompt_parser.py, parse_prompt_attention):
 *
 * - `(word)` times 1.1, `[word]` divided by 1.1, `(word:1.3)` times 1.3; they nest and multiply
 * - `\(`, `\)`, `\[`, `\]` are the characters themselves
 * - brackets left open reach to the end, brackets never opened are text
 * - `BREAK` starts a new chunk. Unlike there, also within brackets.
 *
 * Neighbours of one weight come joined; the empty prompt is one empty part.
 */
export function parsePromptWeights(prompt: string): PromptPart[] {
  const parts: PromptPart[] = [];
  const openRound: number[] = [];
  const openSquare: number[] = [];
  const multiply = (from: number, factor: number) => {
    for (let i = from; i < parts.length; i++) {
      const part = parts[i]!;
      if (part !== 'break') parts[i] = { text: part.text, weight: part.weight * factor };
    }
  };

  for (const [text, weight] of prompt.matchAll(pattern)) {
    if (text.startsWith('\\')) parts.push({ text: text.slice(1), weight: 1 });
    else if (text === '(') openRound.push(parts.length);
    else if (text === '[') openSquare.push(parts.length);
    else if (weight !== undefined && openRound.length > 0) multiply(openRound.pop()!, Number(weight));
    else if (text === ')' && openRound.length > 0) multiply(openRound.pop()!, round);
    else if (text === ']' && openSquare.length > 0) multiply(openSquare.pop()!, square);
    else {
      text.split(breakPattern).forEach((piece, i) => {
        if (i > 0) parts.push('break');
        parts.push({ text: piece, weight: 1 });
      });
    }
  }
  for (const from of openRound) multiply(from, round);
  for (const from of openSquare) multiply(from, square);
  return joined(parts);
}

function joined(parts: readonly PromptPart[]): PromptPart[] {
  const result: PromptPart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part !== 'break' && last !== undefined && last !== 'break' && last.weight === part.weight) {
      result[result.length - 1] = { text: last.text + part.text, weight: part.weight };
    } else {
      result.push(part);
    }
  }
  return result.length === 0 ? [{ text: '', weight: 1 }] : result;
}
