import { randomUUID } from 'node:crypto';
import { copyFile, link, lstat, mkdir, realpath, rename, rm, symlink, unlink } from '../disk.ts';
import { basename, isAbsolute, join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import type { GenerationParams, GenerationRequest } from '../../contracts/generation.ts';
import type { Adapter, Installed, Model, ModelKind } from '../../contracts/models.ts';
import { isModel } from '../models/catalog.ts';
import { type Found, readInstalled } from '../models/read-installed.ts';
import { readWeightFacts } from '../models/weight-facts.ts';
import { readSettings } from '../settings.ts';
import type { Studio } from '../studio.ts';
import { knownHashes } from './file-hashes.ts';

/** Of one kind, or everything that is installed; models that draw first, the default one at the top. */
export async function listModels(studio: Studio, kind: 'model'): Promise<Model[]>;
export async function listModels(studio: Studio, kind: ModelKind | 'all'): Promise<Installed[]>;
export async function listModels(studio: Studio, kind: ModelKind | 'all'): Promise<Installed[]> {
  const all = await studio.models.list();
  const wanted = kind === 'all' ? all : all.filter(({ item }) => item.kind === kind);
  const hashes = await knownHashes(studio, wanted);
  const chosen = await defaultModelId(studio);
  const order = (found: Found) => (found.item.id === chosen ? 0 : isModel(found) ? 1 : 2);
  return wanted
    .sort((a, b) => order(a) - order(b))
    .map(({ path, item }) => ({ ...item, sha256: hashes.get(path)?.sha256 ?? null }));
}

/** The model that requests without one are drawn by, where the person chose one that is still here. */
export async function defaultModelId(studio: Studio): Promise<string | undefined> {
  const { defaultModel } = await studio.db.read(readSettings);
  if (defaultModel === '') return undefined;
  const found = await studio.models.find(defaultModel);
  return found !== null && isModel(found) ? defaultModel : undefined;
}

/**
 * Adds a folder or file of this machine where it lies: nothing is copied. Configs and the headers of weights are read
 * first. Adding it again gives the same.
 * @throws EncoreError `invalid_parameter` for a path that is not absolute or another kind than was said,
 * `checkpoint_not_found`, `checkpoint_invalid`, `checkpoint_unsupported` with the reason, `conflict` when something else
 * has its name
 */
export async function addModel(studio: Studio, path: string, kind?: ModelKind): Promise<Installed> {
  if (!isAbsolute(path)) {
    throw new EncoreError('invalid_parameter', `"${path.slice(0, 200)}" is not an absolute path.`, {
      errors: [{ path: 'path', message: 'must be absolute' }],
    });
  }
  const real = await realpath(path).catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `There is nothing at ${path.slice(0, 200)}.`, { cause });
  });
  const found = await readInstalled(real, 'added');
  const { item } = found;
  if (kind !== undefined && item.kind !== kind) {
    throw new EncoreError('invalid_parameter', `${real} is of the kind ${item.kind}, not ${kind}.`, {
      errors: [{ path: 'kind', message: `is ${item.kind}` }],
    });
  }
  const isFolder = (await lstat(real)).isDirectory();
  if (isFolder && found.path === real) await readWeightFacts(real);
  const same = await studio.models.find(item.id);
  if (same !== null) {
    if ((await realpath(same.path)) === found.path) return same.item;
    throw new EncoreError('conflict', `There is another model called ${item.id} already.`, {
      remedy: 'Rename the folder or file, then add it.',
    });
  }
  const models = join(studio.env.home, 'models');
  await mkdir(models, { recursive: true });
  const target = join(models, basename(real));
  // A junction needs no rights on Windows; elsewhere the kind is ignored.
  if (isFolder) await symlink(real, target, 'junction');
  else await linkFile(real, target);
  return (await requireInstalled(studio, item.id)).item;
}

/** Symbolic links to files need rights on Windows; a hard link or a copy needs none. */
async function linkFile(from: string, to: string): Promise<void> {
  try {
    await symlink(from, to, 'file');
  } catch (error) {
    if (!isRefused(error)) throw error;
    await link(from, to).catch(async () => {
      await copyFile(from, `${to}.partial`);
      await rename(`${to}.partial`, to);
    });
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'ENOSYS');
}

/**
 * Takes away what was added, whose files stay where they are, or what was fetched from a hub, with its files.
 * @throws EncoreError `not_found`, `conflict` for one that was neither, or whose files something is drawn with now
 */
export async function removeModel(studio: Studio, id: string): Promise<void> {
  const found = await studio.models.find(id);
  if (found === null) throw new EncoreError('not_found', `There is no model "${id.slice(0, 100)}".`);
  const { path, item } = found;
  const models = join(studio.env.home, 'models');
  const top = await topOf(models, path);
  if (item.source === 'bundled' || top === null) {
    throw new EncoreError('conflict', `${id} was not added here.`, {
      remedy: item.source === 'bundled' ? 'It came with Encore and stays.' : `Delete ${path} to remove it.`,
    });
  }
  const isLink = (await lstat(top)).isSymbolicLink();
  if (isLink) await unlink(top);
  else if (item.source === 'hub') {
    await requireIdle(studio, id);
    // Renamed first, so that nobody sees half of it.
    const gone = join(models, `${REMOVED_PREFIX}${randomUUID()}`);
    await rename(top, gone);
    await rm(gone, { recursive: true, force: true });
  } else {
    throw new EncoreError('conflict', `${id} was not added from another place.`, {
      remedy: `Delete ${top} to remove it.`,
    });
  }
}

/** What is being deleted, or was when its process was killed; lies in the folder of models. */
export const REMOVED_PREFIX = '.removed-';

/** The engine opens files until the last step. What only waits fails with a sentence, and can be tried again. */
async function requireIdle(studio: Studio, id: string): Promise<void> {
  const running = await studio.db.read((r) =>
    r.generation.findMany({
      where: { status: { in: ['running', 'cancelling'] } },
      select: { params: true },
    }),
  );
  const uses = (params: GenerationParams) =>
    params.model === id || adaptersOf(params).some((adapter) => adapter.id === id);
  if (!running.some(({ params }) => uses(params as GenerationParams))) return;
  throw new EncoreError('conflict', `${id} is being drawn with.`, {
    remedy: 'Wait until that is done, or cancel it; then remove it.',
    retryable: true,
  });
}

/** The entry of the models folder that something belongs to: itself, or the folder it lies in. */
async function topOf(models: string, path: string): Promise<string | null> {
  for (const candidate of [path, join(path, '..')]) {
    if (join(candidate, '..') !== models) continue;
    if ((await lstat(candidate).catch(() => null)) !== null) return candidate;
  }
  return null;
}

async function requireInstalled(studio: Studio, id: string): Promise<Found> {
  const found = await studio.models.find(id);
  if (found !== null) return found;
  throw new EncoreError('unknown_model', `There is no model "${id.slice(0, 100)}".`);
}

/**
 * Whether everything that a request adds to its model is there, is of the kind it is used as, and fits the model.
 * @throws EncoreError `unknown_model` or `invalid_parameter` with the path of each that is not
 */
export async function requireAdapters(
  studio: Studio,
  request: Pick<GenerationRequest, 'loras' | 'control' | 'video'>,
  model: Model,
): Promise<void> {
  const missing: { path: string; message: string }[] = [];
  const errors: { path: string; message: string }[] = [];
  for (const { path, id, kind } of adaptersOf(request)) {
    const item = (await studio.models.find(id))?.item;
    if (item === undefined) missing.push({ path, message: `there is no ${kind} "${id}"` });
    else if (item.kind !== kind) errors.push({ path, message: `"${id}" is a ${item.kind}, not a ${kind}` });
    else if (!fits(item, model))
      errors.push({
        path,
        message: `"${id}" was made for text states of ${item.contextSize} numbers, ${model.id} has ${model.contextSize}`,
      });
  }
  const all = [...missing, ...errors];
  if (all.length === 0) return;
  throw new EncoreError(
    errors.length === 0 ? 'unknown_model' : 'invalid_parameter',
    all.map(({ path, message }) => `${path}: ${message}`).join('; '),
    { remedy: 'See GET /api/v1/models?kind=all for what is installed.', errors: all },
  );
}

/** What a request adds to its model, with the places where it says so. */
function adaptersOf({
  loras = [],
  control = [],
  video,
}: Pick<GenerationRequest, 'loras' | 'control' | 'video'>): {
  path: string;
  id: string;
  kind: Adapter['kind'];
}[] {
  return [
    ...loras.map(({ id }, i) => ({ path: `loras.${i}.id`, id, kind: 'lora' as const })),
    ...control.map(({ model: id }, i) => ({ path: `control.${i}.model`, id, kind: 'controlnet' as const })),
    ...(video?.adapter === undefined
      ? []
      : [{ path: 'video.adapter', id: video.adapter, kind: 'motion' as const }]),
  ];
}

function fits(item: Adapter, model: Model): boolean {
  return item.contextSize === null || model.contextSize === null || item.contextSize === model.contextSize;
}
