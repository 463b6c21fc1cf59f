import { z } from 'zod';
import { mkdir, readdir, rename, rm, stat, writeFile } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { shelfNames } from '../../contracts/models.ts';
import type { ClaimedInstall, InstallProgress } from '../jobs/install-queue.ts';
import { readJson } from '../models/read-json.ts';
import { ORIGIN_FILE, originSchema, readInstalled } from '../models/read-installed.ts';
import { readWeightFacts } from '../models/weight-facts.ts';
import { bytesFromHub } from '../services/installs.ts';
import { REMOVED_PREFIX } from '../services/models.ts';
import type { Studio } from '../studio.ts';
import { syncFolder } from '../sync-folder.ts';
import { chooseFiles } from './choose-files.ts';
import { HubClient, type HubFile } from './client.ts';
import { downloadFile } from './download.ts';

export interface InstallHooks {
  signal: AbortSignal;
  onProgress: (progress: InstallProgress) => void;
  retryMs?: number;
}

/** What is on its way lies here, out of the catalogue's sight and on the same disk as what is installed. */
export const installingFolder = (home: string): string => join(home, 'models', '.installing');

const classSchema = z.looseObject({ _class_name: z.string().optional() });

/**
 * Fetches a repository, inspects it, and moves it into place in one rename: until then nothing is installed. Asked again
 * after any end it goes on with what has come.
 * @returns id of what was installed
 * @throws EncoreError `hub_refused`, `checkpoint_unsupported`, `checkpoint_invalid`, `storage_full`, `conflict` when
 * something else has its name, `cancelled`
 */
export async function runInstall(
  studio: Studio,
  { id, repo, revision, file, commit: pinned }: Omit<ClaimedInstall, 'token'>,
  { signal, onProgress, retryMs }: InstallHooks,
): Promise<string> {
  const client = new HubClient(studio.env.hub);
  const { commit, files: all } = await reachable(signal, () => client.list(repo, pinned ?? revision, signal));
  const choice = chooseFiles(repo, all, file ?? undefined);
  const { files, only } = choice;
  // A folder of the name of a shelf would be taken for one.
  const name = shelfNames.includes(choice.name) ? repo.replace('/', '-') : choice.name;
  const target = join(studio.env.home, 'models', name);
  const before = await installedBefore(target, repo, commit, files);
  if (before !== null) return before;
  await requireFree(studio, name);
  const folder = join(installingFolder(studio.env.home), id, name);
  await mkdir(folder, { recursive: true });

  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = await bytesIn(folder, files, only);
  await requireRoom(studio, id, repo, bytesTotal, bytesTotal - done);
  const speed = speedometer();
  const tell = (bytesDone: number, current: string | null): void =>
    onProgress({ commit, bytesDone, bytesTotal, bytesPerSecond: speed(bytesDone), file: current });

  done = 0;
  for (const wanted of files) {
    const path = fileBelow(folder, wanted, only);
    await downloadFile(client, { repo, commit }, wanted, path, {
      signal,
      retryMs,
      onBytes: (bytes) => tell(done + bytes, wanted.path),
    });
    done += wanted.bytes;
    // Before gigabytes of something that cannot be run.
    if (wanted.path === 'model_index.json') await requirePipeline(path);
  }
  tell(done, null);
  await writeFile(
    join(folder, ORIGIN_FILE),
    `${JSON.stringify({ repository: repo, revision, commit, files: files.map(describe) }, null, 2)}\n`,
  );
  const { item } = await readInstalled(folder, 'hub');
  await readWeightFacts(folder);
  await requireFree(studio, name);
  if (signal.aborted) throw new EncoreError('cancelled', 'Cancelled.');
  await syncFolder(folder);
  await rename(folder, target);
  await syncFolder(join(target, '..'));
  await rm(join(folder, '..'), { recursive: true, force: true });
  return item.id;
}

/** Throws away what has come of installs that are cancelled, over or off the list, and what is left of removed models. */
export async function tidyInstalls(studio: Studio): Promise<void> {
  const models = join(studio.env.home, 'models');
  for (const name of await readdir(models).catch(() => []))
    if (name.startsWith(REMOVED_PREFIX)) await rm(join(models, name), { recursive: true, force: true });
  const folder = installingFolder(studio.env.home);
  for (const id of await readdir(folder).catch(() => [])) {
    const row = await studio.db.read((r) =>
      r.install.findUnique({ where: { id }, select: { status: true, claimToken: true } }),
    );
    const wanted = row !== null && ['queued', 'running', 'paused', 'failed'].includes(row.status);
    // A worker that has not let go yet may still write.
    if (wanted || row?.claimToken != null) continue;
    await rm(join(folder, id), { recursive: true, force: true });
  }
}

/** One file of many is put at the top, where the catalogue looks for it. */
function fileBelow(folder: string, wanted: HubFile, only: HubFile | null): string {
  const parts = wanted.path.split('/');
  return join(folder, ...(wanted === only ? parts.slice(-1) : parts));
}

/** The id of what a worker moved into place before it was killed, or before it could say so. */
async function installedBefore(
  target: string,
  repo: string,
  commit: string,
  files: readonly HubFile[],
): Promise<string | null> {
  const origin = await readJson(join(target, ORIGIN_FILE), originSchema).catch(() => null);
  if (origin?.repository !== repo || origin.commit !== commit) return null;
  const same = JSON.stringify(origin.files) === JSON.stringify(files.map(describe));
  return same ? (await readInstalled(target, 'hub')).item.id : null;
}

async function bytesIn(folder: string, files: readonly HubFile[], only: HubFile | null): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    const path = fileBelow(folder, file, only);
    for (const name of [path, `${path}.part`]) {
      bytes += await stat(name).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  return bytes;
}

async function requireRoom(
  studio: Studio,
  id: string,
  repo: string,
  bytesTotal: number,
  missing: number,
): Promise<void> {
  const { budgetBytes } = studio.env.hub;
  const used = await bytesFromHub(studio, id);
  if (used + bytesTotal > budgetBytes) {
    throw new EncoreError(
      'storage_full',
      `${repo} has ${bytesTotal} bytes; models from hubs may take ${budgetBytes}, and take ${used} already.`,
      { remedy: 'Remove a model, or set ENCORE_MODEL_BUDGET_BYTES higher.', retryable: true },
    );
  }
  const free = await studio.assets.freeBytes();
  if (free < missing + studio.env.minFreeBytes) {
    throw new EncoreError(
      'storage_full',
      `${missing} bytes are still to come, and ${free} are left on the disk of the data directory.`,
      { remedy: 'Free some space, then resume.', retryable: true },
    );
  }
}

/** @throws EncoreError `conflict` */
async function requireFree(studio: Studio, name: string): Promise<void> {
  const taken =
    (await studio.models.find(name)) !== null ||
    (await stat(join(studio.env.home, 'models', name)).catch(() => null)) !== null;
  if (!taken) return;
  throw new EncoreError('conflict', `There is a model called ${name} already.`, {
    remedy: 'Remove it first, then install this one.',
  });
}

async function requirePipeline(path: string): Promise<void> {
  const { _class_name: name = 'nothing' } = await readJson(path, classSchema);
  if (name.startsWith('StableDiffusion') && !name.startsWith('StableDiffusionXL')) return;
  throw new EncoreError('checkpoint_unsupported', `This is a ${name}, which cannot be run here.`, {
    remedy: 'Pipelines of Stable Diffusion 1.x and 2.x can.',
  });
}

/** A hub that cannot be reached is not our failure. */
async function reachable<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  return ask().catch((cause: unknown) => {
    if (signal.aborted) throw new EncoreError('cancelled', 'Cancelled.', { cause });
    if (cause instanceof EncoreError) throw cause;
    throw new EncoreError('hub_refused', `The hub cannot be reached: ${(cause as Error).message}.`, {
      remedy: 'Check the network, or set ENCORE_HUB to a mirror; then resume.',
      retryable: true,
      cause,
    });
  });
}

function describe({ path, bytes, sha256 }: HubFile) {
  return { path, bytes, sha256 };
}

/** Bytes a second over the last seconds; null until there is something to say. */
function speedometer(): (bytes: number) => number | null {
  const WINDOW_MS = 5_000;
  let seen: { at: number; bytes: number }[] = [];
  return (bytes) => {
    const at = performance.now();
    seen = [...seen.filter((point) => at - point.at < WINDOW_MS && point.bytes <= bytes), { at, bytes }];
    const first = seen[0];
    if (first === undefined || at - first.at < 500) return null;
    return ((bytes - first.bytes) * 1000) / (at - first.at);
  };
}
