import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { adapterName } from '../../engine/checkpoint/adapter-file.ts';
import { openEmbedding } from '../../engine/checkpoint/embedding.ts';
import { mentions } from '../../engine/tokenizers/triggers.ts';
import type { OptionGroup } from './group.ts';

export interface AdapterOptions {
  prompt?: string;
  negative: string;
  lora?: LoraOption[];
  embedding?: string[];
}

interface LoraOption {
  file: string;
  weight: number;
}

/** LoRAs and textual inversions. */
export const adapters: OptionGroup<AdapterOptions> = {
  declare(command) {
    command
      .option('--lora <file[:weight]>', 'LoRA, by default of weight 1; may be given again', anotherLora)
      .option(
        '--embedding <file>',
        'textual inversion, called by its file name in the prompt; may be given again',
        another,
      );
  },
  request({ lora }) {
    return { loras: lora?.map(({ file, weight }) => ({ id: adapterName(file).slice(-200), weight })) };
  },
  async input({ prompt = '', negative, lora, embedding }) {
    for (const file of embedding ?? []) {
      const { name, triggers } = await openEmbedding(file);
      if ([prompt, negative].some((text) => mentions(text, triggers))) continue;
      process.stderr.write(
        `The embedding "${name}" is not used: no prompt has ${triggers.join(' or ')} in it.\n`,
      );
    }
    return {
      ...(lora === undefined
        ? {}
        : { loras: lora.map(({ file, weight }) => ({ file: resolve(file), weight })) }),
      ...(embedding === undefined ? {} : { embeddings: embedding.map((file) => resolve(file)) }),
    };
  },
};

/** A colon before a number ends the file's name; the one of a Windows drive does not. */
export function parseLora(text: string): LoraOption {
  const [, file = text, weight = '1'] = /^(..+):([+-]?(?:\d+\.?\d*|\.\d+))$/.exec(text) ?? [];
  if (file === '') throw new InvalidArgumentError('Name a .safetensors file.');
  return { file, weight: Number(weight) };
}

function anotherLora(text: string, before: LoraOption[] = []): LoraOption[] {
  return [...before, parseLora(text)];
}

function another(text: string, before: string[] = []): string[] {
  return [...before, text];
}
