import { readdir, stat } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { shelfNames, type Model } from '../../contracts/models.ts';
import { type Found, readInstalled } from './read-installed.ts';
import { isWeights } from './weight-facts.ts';

export interface ModelFolder {
  path: string;
  source: Model['source'];
}

/**
 * What is installed in some folders: diffusers folders and .safetensors files. Read anew when it changed, so a model that
 * is put there shows up by itself.
 */
export class ModelCatalog {
  readonly #folders: readonly ModelFolder[];
  readonly #cache = new Map<string, { version: string; entry: Promise<Found | null> }>();
  /** Where a model was found last, so that asking for one looks at one folder. */
  readonly #places = new Map<string, ModelFolder>();

  /** Earlier folders win where two have the same name. */
  constructor(folders: readonly ModelFolder[]) {
    this.#folders = folders.flatMap(({ path, source }) => [
      { path, source },
      ...shelfNames.map((shelf) => ({ path: join(path, shelf), source })),
    ]);
  }

  async list(): Promise<Found[]> {
    const found = new Map<string, Found>();
    for (const { path, source } of this.#folders) {
      for (const name of await entries(path)) {
        const place = { path: join(path, name), source };
        const installed = await this.#read(place);
        if (installed === null || found.has(installed.item.id)) continue;
        found.set(installed.item.id, installed);
        this.#places.set(installed.item.id, place);
      }
    }
    return [...found.values()];
  }

  /** Those that draw, the default one first. */
  async models(): Promise<Found<Model>[]> {
    return (await this.list()).filter(isModel);
  }

  /** Of any kind; null where there is none of that name. */
  async find(id: string): Promise<Found | null> {
    const known = this.#places.get(id);
    const still = known === undefined ? null : await this.#read(known);
    return still ?? (await this.list()).find(({ item }) => item.id === id) ?? null;
  }

  /**
   * A model that draws, by its id; without one the first that is installed.
   * @throws EncoreError `unknown_model`
   */
  async get(id?: string): Promise<Found<Model>> {
    const match = id === undefined ? (await this.models())[0] : await this.find(id);
    if (match !== undefined && match !== null && isModel(match)) return match;
    const names = (await this.models()).map(({ item }) => item.id).join(', ') || 'none';
    const what = id === undefined ? 'no model installed' : `no model "${id}"`;
    throw new EncoreError('unknown_model', `There is ${what} (installed: ${names}).`, {
      remedy: 'Choose an installed model, or put a diffusers folder into models/ of the data directory.',
      errors: [{ path: 'model', message: 'is not installed' }],
    });
  }

  async #read({ path, source }: ModelFolder): Promise<Found | null> {
    const version = await versionOf(path);
    if (version === null) return null;
    const cached = this.#cache.get(path);
    if (cached?.version === version) return cached.entry;
    // A folder that is no model of ours is left out; adding it, or `encore inspect`, says why.
    const entry = readInstalled(path, source).catch(() => null);
    this.#cache.set(path, { version, entry });
    return entry;
  }
}

export function isModel(found: Found): found is Found<Model> {
  return found.item.kind === 'model';
}

/** Changes with what is read first; null for what is not there or holds nothing of the kind. */
async function versionOf(path: string): Promise<string | null> {
  const own = await stat(path).catch(() => null);
  if (own === null) return null;
  if (own.isFile()) return `${own.mtimeMs}/${own.size}`;
  for (const name of ['model_index.json', 'config.json']) {
    const file = await stat(join(path, name)).catch(() => null);
    if (file !== null) return `${name}/${file.mtimeMs}/${file.size}`;
  }
  return `${own.mtimeMs}`;
}

async function entries(parent: string): Promise<string[]> {
  const found = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => !entry.name.startsWith('.') && !shelfNames.includes(entry.name))
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink() || isWeights(entry.name))
    .map((entry) => entry.name)
    .sort();
}
