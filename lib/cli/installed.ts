import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncoreError } from '../contracts/errors.ts';
import { shelves, type ModelKind } from '../contracts/models.ts';
import { environment } from './environment.ts';

const bundled = fileURLToPath(new URL('../../models', import.meta.url));

const words: Record<ModelKind, string> = {
  model: 'model',
  controlnet: 'ControlNet',
  lora: 'LoRA',
  embedding: 'embedding',
  motion: 'motion adapter',
};

/**
 * Where something lies: a path wins over a name, what comes with Encore over the data directory, and a name is that of a
 * folder, or of a .safetensors file.
 * @throws EncoreError `unknown_model`
 */
export async function installed(name: string, kind: ModelKind): Promise<string> {
  const places = [resolve(name)];
  if (/^[\w.-]+$/.test(name)) {
    for (const models of [bundled, join(environment.home, 'models')]) {
      for (const folder of [models, join(models, shelves[kind])]) {
        places.push(join(folder, name), join(folder, `${name}.safetensors`));
      }
    }
  }
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found !== undefined) return place;
  }
  throw new EncoreError('unknown_model', `there is no ${words[kind]} "${name}"`, {
    remedy: `Looked for ${places.join(', ')}.`,
  });
}
