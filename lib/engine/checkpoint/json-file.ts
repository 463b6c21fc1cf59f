import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { EncoreError } from '../../contracts/errors.ts';

/** Configs have kilobytes, shard indices of the largest models a few megabytes. */
const maxJsonBytes = 16_000_000;

/**
 * Reads a JSON file of a checkpoint and checks it. Throws `checkpoint_not_found`, or `checkpoint_invalid` naming the
 * file and the field.
 */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxJsonBytes) {
      throw new EncoreError(
        'checkpoint_invalid',
        `${path} has ${size} bytes; at most ${maxJsonBytes} are read`,
      );
    }
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof EncoreError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'is missing' : `cannot be read (${code})`;
    throw new EncoreError('checkpoint_not_found', `${path} ${reason}`, {
      cause,
      remedy: 'A diffusers folder holds model_index.json and one folder per component, each with its config.',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EncoreError('checkpoint_invalid', `${path} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'the content' : issue.path.join('.');
  throw new EncoreError('checkpoint_invalid', `${path}: ${field}: ${issue?.message ?? 'is malformed'}`);
}
