import { readdir, stat } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import type { Model } from '../../contracts/models.ts';
import { readModel } from './read-model.ts';

/** A model on this machine and where its folder is. The folder never leaves the server. */
export interface InstalledModel {
  folder: string;
  model: Model;
}

export interface ModelFolder {
  path: string;
  source: Model['source'];
}

/**
 * The models in some folders of diffusers folders. Read anew when a model_index.json changed, so a model that is put
 * there shows up by itself.
 */
export class ModelCatalog {
  readonly #folders: readonly ModelFolder[];
  readonly #cache = new Map<string, { version: string; entry: Promise<InstalledModel | null> }>();
  /** Where a model was found last, so that asking for one looks at one folder. */
  readonly #places = new Map<string, ModelFolder>();

  /** Earlier folders win where two models have the same name. */
  constructor(folders: readonly ModelFolder[]) {
    this.#folders = folders;
  }

  async list(): Promise<InstalledModel[]> {
    const found = new Map<string, InstalledModel>();
    for (const { path, source } of this.#folders) {
      for (const name of await subfolders(path)) {
        const place = { path: join(path, name), source };
        const installed = await this.#read(place);
        if (installed === null || found.has(name)) continue;
        found.set(name, installed);
        this.#places.set(name, place);
      }
    }
    return [...found.values()];
  }

  /**
   * A model by its id; without one the first that is installed.
   * @throws EncoreError `unknown_model`
   */
  async get(id?: string): Promise<InstalledModel> {
    const known = id === undefined ? undefined : this.#places.get(id);
    const still = known === undefined ? null : await this.#read(known);
    if (still !== null) return still;
    const installed = await this.list();
    const match = id === undefined ? installed[0] : installed.find(({ model }) => model.id === id);
    if (match !== undefined) return match;
    const names = installed.map(({ model }) => model.id).join(', ') || 'none';
    const what = id === undefined ? 'no model installed' : `no model "${id}"`;
    throw new EncoreError('unknown_model', `There is ${what} (installed: ${names}).`, {
      remedy: 'Choose an installed model, or put a diffusers folder into models/ of the data directory.',
      errors: [{ path: 'model', message: 'is not installed' }],
    });
  }

  async #read({ path, source }: ModelFolder): Promise<InstalledModel | null> {
    const version = await stat(join(path, 'model_index.json')).then(
      ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
      () => null,
    );
    if (version === null) return null;
    const cached = this.#cache.get(path);
    if (cached?.version === version) return cached.entry;
    // A folder that is no model of ours is left out; adding it, or `encore inspect`, says why.
    const entry = readModel(path, source).then(
      (model) => ({ folder: path, model }),
      () => null,
    );
    this.#cache.set(path, { version, entry });
    return entry;
  }
}

async function subfolders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
