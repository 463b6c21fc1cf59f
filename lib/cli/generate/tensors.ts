import { EncoreError } from '../../contracts/errors.ts';
import { readSafetensors } from '../../engine/checkpoint/safetensors.ts';
import { toFloat32 } from '../../engine/tensor/arithmetic.ts';
import type { Tensor } from '../../engine/tensor/tensor.ts';
import type { OptionGroup } from './group.ts';

export interface TensorOptions {
  latents?: string;
  promptEmbeds?: string;
}

type Tensors = ReadonlyMap<string, Tensor>;

/** Tensors given instead of noise and of words. */
export const tensors: OptionGroup<TensorOptions> = {
  heading: 'Tensors in place of noise and words:',
  declare(command) {
    command
      .option('--latents <file>', 'initial latents, scaled; they fix size and count; noise from there too')
      .option('--prompt-embeds <file>', 'prompt_embeds and negative_prompt_embeds instead of text');
  },
  async input({ latents, promptEmbeds }) {
    const noise = latents === undefined ? undefined : await readSafetensors(latents);
    const text = promptEmbeds === undefined ? undefined : await readSafetensors(promptEmbeds);
    return {
      ...(noise && {
        latents: required(noise, latents!, 'latents'),
        noise: optional(noise, latents!, 'noise'),
      }),
      ...(text && {
        promptEmbeds: required(text, promptEmbeds!, 'prompt_embeds'),
        negativePromptEmbeds: optional(text, promptEmbeds!, 'negative_prompt_embeds'),
      }),
    };
  },
};

function required(file: Tensors, path: string, name: string): Tensor<'float32'> {
  const found = optional(file, path, name);
  if (found !== undefined) return found;
  throw new EncoreError('invalid_tensor', `${path} holds no "${name}"`, {
    remedy: `It has ${[...file.keys()].join(', ') || 'no tensors'}.`,
  });
}

function optional(file: Tensors, path: string, name: string): Tensor<'float32'> | undefined {
  const found = file.get(name);
  if (found === undefined) return undefined;
  const value = toFloat32(found);
  if (value.data.every(Number.isFinite)) return value;
  throw new EncoreError('invalid_tensor', `${path}: "${name}" holds NaN or infinity`);
}
