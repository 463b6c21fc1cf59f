import { readFile, stat } from '../disk.ts';
import { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';

/** Configs are a few kB; anything larger is not one. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** A config of a model folder. @throws EncoreError `checkpoint_not_found`, `checkpoint_invalid` naming the file */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `${path} is missing.`, {
      remedy: 'A model is a folder in the layout of diffusers, with model_index.json.',
      cause,
    });
  });
  if (info.size > MAX_JSON_BYTES) {
    throw new EncoreError(
      'checkpoint_invalid',
      `${path} has ${info.size} bytes; a config has at most ${MAX_JSON_BYTES}.`,
    );
  }
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new EncoreError('checkpoint_invalid', `${path} is not what it should be: ${reason}`, { cause });
  }
}

/** A plain `key: value` of a model card's YAML front matter. */
export function frontMatter(card: string, key: 'title' | 'license'): string | undefined {
  const block = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1] ?? '';
  const value = new RegExp(`^${key}:[ \\t]*(.+)$`, 'm').exec(block)?.[1];
  return value?.trim().replace(/^(["'])(.*)\1$/, '$2');
}
