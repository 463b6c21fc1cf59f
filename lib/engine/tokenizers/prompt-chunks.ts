import type { ClipTokenizer } from './clip.ts';
import { parsePromptWeights } from './prompt-weights.ts';

/** What the text encoder reads at once: start, tokens, end, padding; and the weight of each. */
export interface PromptChunk {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

export interface ChunkedPrompt {
  /** At least one. */
  readonly chunks: readonly PromptChunk[];
  /** Tokens of the text alone. */
  readonly tokens: number;
}

/** A chunk that would end within a phrase ends at a comma at most this many tokens back (AUTOMATIC1111's default). */
const commaReach = 20;

/**
 * Cuts a prompt into chunks of `positions` ids, two of which are start and end: no prompt is too long. As AUTOMATIC1111
 * does (modules/sd_hijack_clip.py, tokenize_line), weights, commas and BREAK included.
 */
export function chunkPrompt(tokenizer: ClipTokenizer, prompt: string, positions: number): ChunkedPrompt {
  const length = positions - 2;
  const [comma, ...more] = tokenizer.tokenize(',');
  const commaId = more.length === 0 ? comma : undefined;
  const chunks: PromptChunk[] = [];
  let tokens: { id: number; weight: number }[] = [];
  let total = 0;
  let lastComma = -1;

  const finish = () => {
    chunks.push(padded(tokenizer, tokens, positions));
    tokens = [];
    lastComma = -1;
  };
  for (const part of parsePromptWeights(prompt)) {
    if (part === 'break') {
      finish();
      continue;
    }
    for (const id of tokenizer.tokenize(part.text)) {
      if (id === commaId) lastComma = tokens.length;
      else if (tokens.length === length && lastComma !== -1 && tokens.length - lastComma <= commaReach) {
        const moved = tokens.splice(lastComma + 1);
        finish();
        tokens = moved;
      }
      if (tokens.length === length) finish();
      tokens.push({ id, weight: part.weight });
      total++;
    }
  }
  if (tokens.length > 0 || chunks.length === 0) finish();
  return { chunks, tokens: total };
}

/** The chunk of an empty prompt: what the shorter of prompt and negative prompt is filled up with. */
export function emptyChunk(tokenizer: ClipTokenizer, positions: number): PromptChunk {
  return padded(tokenizer, [], positions);
}

function padded(
  { bosId, eosId, padId }: ClipTokenizer,
  tokens: readonly { id: number; weight: number }[],
  positions: number,
): PromptChunk {
  const ids = [bosId, ...tokens.map(({ id }) => id), eosId];
  const weights = [1, ...tokens.map(({ weight }) => weight), 1];
  while (ids.length < positions) {
    ids.push(padId);
    weights.push(1);
  }
  return { ids, weights };
}
