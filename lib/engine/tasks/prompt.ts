import type { Tensor } from '../tensor/tensor.ts';
import type { LoadedModel } from './loaded-model.ts';

export interface EncodedPrompt {
  /** [1, L, D] */
  readonly states: Tensor<'float32'>;
  readonly notices: readonly string[];
}

/** A prompt as the denoiser reads it: padded or cut to the positions of the text encoder. */
export async function encodePrompt(
  { tokenizer, textEncoder }: LoadedModel,
  prompt: string,
): Promise<EncodedPrompt> {
  const positions = Math.min(tokenizer.maxLength, textEncoder.config.positions);
  const { ids, tokens, dropped } = tokenizer.encode(prompt, positions);
  const { lastHiddenState } = await textEncoder.encode([ids]);
  const notices =
    dropped === ''
      ? []
      : [`The prompt has ${tokens} tokens, ${positions - 2} fit: "${dropped}" was left out.`];
  return { states: lastHiddenState, notices };
}
