import { InvalidArgumentError } from 'commander';
import { adapterName } from '../../engine/checkpoint/adapter-file.ts';
import { openEmbedding } from '../../engine/checkpoint/embedding.ts';
import { mentions } from '../../engine/tokenizers/triggers.ts';
import { installed } from '../installed.ts';
import type { OptionGroup } from './group.ts';
import { another } from './values.ts';

export interface AdapterOptions {
  prompt?: string;
  negative?: string;
  lora?: LoraOption[];
  embedding?: string[];
}

interface LoraOption {
  file: string;
  weight: number;
}

/** LoRAs and textual inversions. */
export const adapters: OptionGroup<AdapterOptions> = {
  heading: 'LoRAs and embeddings:',
  declare(command) {
    command
      .option('--lora <file|name[:weight]>', 'LoRA, by default of weight 1; may be given again', anotherLora)
      .option(
        '--embedding <file|name>',
        'textual inversion, called by its file name in the prompt; may be given again',
        another,
      );
  },
  request({ lora }) {
    return { loras: lora?.map(({ file, weight }) => ({ id: adapterName(file).slice(-200), weight })) };
  },
  async input({ prompt = '', negative = '', lora = [], embedding = [] }) {
    const loras = [];
    for (const { file, weight } of lora) loras.push({ file: await installed(file, 'lora'), weight });
    const embeddings = [];
    for (const given of embedding) {
      const file = await installed(given, 'embedding');
      embeddings.push(file);
      const { name, triggers } = await openEmbedding(file);
      if ([prompt, negative].some((text) => mentions(text, triggers))) continue;
      process.stderr.write(
        `The embedding "${name}" is not used: no prompt has ${triggers.join(' or ')} in it.\n`,
      );
    }
    return {
      ...(loras.length === 0 ? {} : { loras }),
      ...(embeddings.length === 0 ? {} : { embeddings }),
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
