import { EncoreError } from '../../contracts/errors.ts';
import type { ClipTokenizer } from './clip.ts';
import { parsePromptWeights } from './prompt-weights.ts';
import { splitAtTriggers } from './triggers.ts';

/** What the text encoder reads at once: start, tokens, end, padding; and the weight of each. */
export interface PromptChunk {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
  /** Vectors that are read instead of the id at their position. */
  readonly inserted: ReadonlyMap<number, Float32Array>;
}

/** Text that vectors of a textual inversion take the place of. */
export interface PromptEmbedding {
  readonly name: string;
  readonly triggers: readonly string[];
  readonly vectors: readonly Float32Array[];
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
 * does (modules/sd_hijack_clip.py, tokenize_line), weights, commas, BREAK and embeddings included: the vectors of one
 * stay together. Throws `invalid_parameter` for an embedding of more vectors than a chunk has tokens.
 */
export function chunkPrompt(
  tokenizer: ClipTokenizer,
  prompt: string,
  positions: number,
  embeddings: readonly PromptEmbedding[] = [],
): ChunkedPrompt {
  const length = positions - 2;
  const [comma, ...more] = tokenizer.tokenize(',');
  const commaId = more.length === 0 ? comma : undefined;
  const chunks: PromptChunk[] = [];
  let tokens: Token[] = [];
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
    for (const piece of splitAtTriggers(part.text, embeddings)) {
      if (typeof piece !== 'string') {
        const { name, vectors } = piece;
        if (vectors.length > length) throw tooLong(name, vectors.length, length);
        if (tokens.length + vectors.length > length) finish();
        for (const vector of vectors) tokens.push({ id: 0, weight: part.weight, vector });
        total += vectors.length;
        continue;
      }
      for (const id of tokenizer.tokenize(piece)) {
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
  }
  if (tokens.length > 0 || chunks.length === 0) finish();
  return { chunks, tokens: total };
}

interface Token {
  id: number;
  weight: number;
  vector?: Float32Array;
}

function tooLong(name: string, vectors: number, length: number): EncoreError {
  return new EncoreError(
    'invalid_parameter',
    `the embedding "${name}" has ${vectors} vectors; this model reads ${length} tokens at once`,
  );
}

/** The chunk of an empty prompt: what the shorter of prompt and negative prompt is filled up with. */
export function emptyChunk(tokenizer: ClipTokenizer, positions: number): PromptChunk {
  return padded(tokenizer, [], positions);
}

function padded(
  { bosId, eosId, padId }: ClipTokenizer,
  tokens: readonly Token[],
  positions: number,
): PromptChunk {
  const inserted = new Map(
    tokens.flatMap(({ vector }, i) => (vector === undefined ? [] : [[i + 1, vector] as const])),
  );
  const ids = [bosId, ...tokens.map(({ id }) => id), eosId];
  const weights = [1, ...tokens.map(({ weight }) => weight), 1];
  while (ids.length < positions) {
    ids.push(padId);
    weights.push(1);
  }
  return { ids, weights, inserted };
}
