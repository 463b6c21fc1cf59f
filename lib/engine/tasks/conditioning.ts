import { EncoreError } from '../../contracts/errors.ts';
import { embeddingsNamed, type Embedding } from '../checkpoint/embedding.ts';
import { guidanceRows } from '../propagation/loop.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LoadedModel } from './loaded-model.ts';
import { repeatRow } from './pictures.ts';
import { encodePrompts } from './prompt.ts';
import type { GenerateInput } from './task.ts';

type Float32 = Tensor<'float32'>;

export interface Conditioning {
  /** Text states [count, L, D] of each guidance half, unconditional first. */
  readonly halves: readonly Float32[];
  /** Tokens of the prompt; undefined where embeds were given. */
  readonly tokens: number | undefined;
  readonly notices: readonly string[];
  /** Textual inversions that the texts call. */
  readonly embeddings: readonly Embedding[];
}

/** Prompt and negative prompt, or the embeds given instead of either, for `count` pictures. */
export async function conditioning(
  model: LoadedModel,
  input: GenerateInput,
  count: number,
): Promise<Conditioning> {
  const guided = guidanceRows(1, input.guidanceScale) > 1;
  const { promptEmbeds, negativePromptEmbeds, prompt, negativePrompt, clipSkip = 0 } = input;
  const texts = [
    ...(promptEmbeds === undefined ? [prompt] : []),
    ...(guided && negativePromptEmbeds === undefined ? [negativePrompt] : []),
  ];
  const embeddings = await embeddingsNamed(input.embeddings ?? [], texts);
  const { states, tokens, notices } = await encodePrompts(model, texts, clipSkip, embeddings);
  const encoded = states.map((row) => repeatRow(row, count));
  const positive = promptEmbeds === undefined ? encoded.shift()! : rowsOf(promptEmbeds, count);
  const spoken = promptEmbeds === undefined;
  const known = { tokens: spoken ? tokens[0] : undefined, notices: spoken ? notices : [], embeddings };
  if (!guided) return { halves: [positive], ...known };
  const negative =
    negativePromptEmbeds === undefined ? encoded.shift()! : rowsOf(negativePromptEmbeds, count);
  const [a, b] = [negative.shape, positive.shape];
  if (a.join() !== b.join()) {
    throw new EncoreError(
      'invalid_tensor',
      `prompt and negative prompt must have one shape, got [${b.join(', ')}] and [${a.join(', ')}]`,
    );
  }
  return { halves: [negative, positive], ...known };
}

/** Given embeds [1 or count, L, D], as [count, L, D]. */
function rowsOf(embeds: Float32, count: number): Float32 {
  const [given = 0] = embeds.shape;
  if (embeds.shape.length === 3 && given === count) return embeds;
  if (embeds.shape.length === 3 && given === 1) return repeatRow(embeds, count);
  throw new EncoreError(
    'invalid_tensor',
    `prompt embeds must be [1 or ${count}, L, D], got [${embeds.shape.join(', ')}]`,
  );
}
