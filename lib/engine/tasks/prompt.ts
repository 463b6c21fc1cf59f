import { EncoreError } from '../../contracts/errors.ts';
import { concatRows, reshaped } from '../tensor/arithmetic.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { Embedding } from '../checkpoint/embedding.ts';
import { chunkPrompt, emptyChunk, type PromptChunk } from '../tokenizers/prompt-chunks.ts';
import type { LoadedModel } from './loaded-model.ts';

type Float32 = Tensor<'float32'>;

export interface EncodedPrompts {
  /** One per prompt, [1, L, D]; all of one length. */
  readonly states: readonly Float32[];
  /** Tokens of each text, start, end and padding left out. */
  readonly tokens: readonly number[];
  readonly notices: readonly string[];
}

/** Ids that the text encoder reads at once. */
export function textPositions({ tokenizer, textEncoder }: LoadedModel): number {
  return Math.min(tokenizer.maxLength, textEncoder.config.positions);
}

/**
 * Prompts as the denoiser reads them: cut into chunks, encoded, weighted, joined. A prompt of fewer chunks than another is
 * filled up with empty ones, so that both guidance halves go through one call. `clipSkip` layers are left out; `embeddings`
 * stand where their triggers do. Throws `checkpoint_unsupported` for one of another width.
 */
export async function encodePrompts(
  model: LoadedModel,
  prompts: readonly string[],
  clipSkip = 0,
  embeddings: readonly Embedding[] = [],
): Promise<EncodedPrompts> {
  const positions = textPositions(model);
  if (prompts.length === 0) return { states: [], tokens: [], notices: [] };
  expectWidth(embeddings, model);
  const chunked = prompts.map((prompt) => chunkPrompt(model.tokenizer, prompt, positions, embeddings));
  const most = Math.max(...chunked.map(({ chunks }) => chunks.length));
  const empty = emptyChunk(model.tokenizer, positions);
  const states: Float32[] = [];
  for (const { chunks } of chunked) {
    const filled = [...chunks, ...Array<PromptChunk>(most - chunks.length).fill(empty)];
    const encoded: Float32[] = [];
    // One by one: every prompt of a model then runs the same graph.
    for (const { ids, weights, inserted } of filled) {
      const { lastHiddenState } = await model.textEncoder.encode([ids], clipSkip, [inserted]);
      encoded.push(weighted(lastHiddenState, weights));
    }
    const [, , width = 0] = encoded[0]!.shape;
    states.push(reshaped(concatRows(encoded), [1, most * positions, width]));
  }
  const tokens = chunked.map((prompt) => prompt.tokens);
  return { states, tokens, notices: noticesOf(chunked[0]!.chunks.length, tokens[0]!, positions) };
}

/**
 * States [1, L, D] times the weight of their token, then scaled back to the mean they had: AUTOMATIC1111's emphasis
 * "Original" (modules/sd_emphasis.py).
 */
export function weighted(states: Float32, weights: readonly number[]): Float32 {
  if (weights.every((weight) => weight === 1)) return states;
  const [, , width = 0] = states.shape;
  const data = states.data.map((value, i) => value * weights[Math.floor(i / width)]!);
  const restored = sum(states.data) / sum(data);
  const result = data.map((value) => value * restored);
  if (!result.every(Number.isFinite)) {
    const most = Math.max(...weights.map(Math.abs));
    throw new EncoreError('invalid_parameter', `the prompt weighs words up to ${most}: no number is left`, {
      remedy: 'Weights of 0 to 2 are usual.',
    });
  }
  return float32(states.shape, result);
}

function expectWidth(embeddings: readonly Embedding[], { name, textEncoder }: LoadedModel): void {
  const { width } = textEncoder.config;
  const other = embeddings.find(({ vectors }) => vectors.some((vector) => vector.length !== width));
  if (other === undefined) return;
  throw new EncoreError(
    'checkpoint_unsupported',
    `the embedding "${other.name}" has vectors of ${other.vectors[0]!.length} numbers${other.madeFor}; ${name} reads ${width}`,
    { remedy: 'Use an embedding that was made for this kind of model, or leave its name out of the prompt.' },
  );
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function noticesOf(chunks: number, tokens: number, positions: number): string[] {
  if (chunks === 1) return [];
  return [`The prompt has ${tokens} tokens and was read in ${chunks} parts of at most ${positions - 2}.`];
}
