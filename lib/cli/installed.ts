import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncoreError } from '../contracts/errors.ts';
import { environment } from './environment.ts';

const bundled = fileURLToPath(new URL('../../models', import.meta.url));

/**
 * Where a model or a ControlNet lies: a path wins over a name, and what comes with Encore over the data directory.
 * @throws EncoreError `unknown_model`
 */
export async function installed(name: string, kind: 'model' | 'ControlNet'): Promise<string> {
  const places = [resolve(name)];
  if (/^[\w.-]+$/.test(name)) places.push(join(bundled, name), join(environment.home, 'models', name));
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found !== undefined) return place;
  }
  throw new EncoreError('unknown_model', `there is no ${kind} "${name}"`, {
    remedy: `Looked for ${places.join(', ')}.`,
  });
}
