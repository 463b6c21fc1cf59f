import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncoreError } from '../contracts/errors.ts';
import { shelves, shelfNames, type ModelKind } from '../contracts/models.ts';
import { environment } from './environment.ts';

/** Folders that models lie in: those that come with Encore first, then those of the data directory. */
const libraries = [
  fileURLToPath(new URL('../../models', import.meta.url)),
  join(environment.home, 'models'),
] as const;

export const kindNames: Record<ModelKind, string> = {
  model: 'model',
  controlnet: 'ControlNet',
  lora: 'LoRA',
  embedding: 'embedding',
  motion: 'motion adapter',
};

const everyKind = Object.keys(kindNames) as ModelKind[];

/**
 * Where something lies that is named by its path, or by the name it is installed under: that of a folder, or of a
 * .safetensors file without its ending. A bare word means what is installed first, so that a folder of that name in the
 * directory the command is run from does not stand in for it; `./word` is that folder.
 * @param kinds what it may be; of any kind by default
 * @throws EncoreError `unknown_model`
 */
export async function installed(name: string, ...kinds: ModelKind[]): Promise<string> {
  const here = resolve(name);
  const places = isWord(name)
    ? [...installedPlaces(name, kinds.length === 0 ? everyKind : kinds), here]
    : [here];
  for (const place of places) {
    if ((await stat(place).catch(() => undefined)) !== undefined) return place;
  }
  const what = kinds.length === 1 ? kindNames[kinds[0]!] : 'model or adapter';
  throw new EncoreError('unknown_model', `there is no ${what} "${name}"`, {
    remedy: 'Name a folder or a .safetensors file, or one of those that `encore models` lists.',
  });
}

/** No path, and no file by its ending. */
function isWord(name: string): boolean {
  return !/[\\/:]|^\.+$|\.safetensors$/.test(name);
}

function installedPlaces(name: string, kinds: readonly ModelKind[]): string[] {
  return libraries
    .flatMap((library) => [library, ...kinds.map((kind) => join(library, shelves[kind]))])
    .flatMap((folder) => [join(folder, name), join(folder, `${name}.safetensors`)]);
}

/** Everything that has a name here, in the order in which names are looked up. */
export async function listInstalled(): Promise<{ name: string; path: string }[]> {
  const found = new Map<string, string>();
  for (const folder of libraries.flatMap((library) => [
    library,
    ...shelfNames.map((shelf) => join(library, shelf)),
  ])) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, name);
      const inside = await readdir(path).catch(() => undefined);
      const isModel =
        inside?.some((file) => file === 'model_index.json' || file === 'config.json') ??
        /\.safetensors$/.test(name);
      const word = name.replace(/\.safetensors$/, '');
      if (isModel && !found.has(word)) found.set(word, path);
    }
  }
  return [...found].map(([name, path]) => ({ name, path }));
}
