import { readEnv } from '../env.ts';
import { openStudio, type Studio } from '../studio.ts';

const KEY = Symbol.for('encore.studio');
const holder = globalThis as { [KEY]?: Studio };

/**
 * The studio of a web process. Kept on globalThis because a web server bundles each route by itself and loads modules
 * anew while developing: two copies would wait for each other's database locks.
 */
export function getStudio(): Studio {
  return (holder[KEY] ??= openStudio(readEnv()));
}
