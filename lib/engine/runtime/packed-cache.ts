import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/*
 * Optimised graphs with their weights packed for this machine, on disk. One folder per entry:
 *
 *   <key>/model.onnx      the optimised graph
 *   <key>/weights.data    its weights, memory-mapped by every session and process that opens it
 *   <key>/manifest.json   sizes, times and sha256 of the two; its own time is when the entry was last used
 *
 * Entries are made in a folder of their own and renamed, so a reader sees a whole entry or none, and several processes
 * may make the same one: the first wins. Graphs that differ only in picture size or batch pack to the same weights;
 * these are one file with several names (hard links).
 */

export interface PackedCacheOptions {
  directory: string;
  /** Least recently used entries are removed beyond this. */
  budgetBytes: number;
}

const fileSchema = z.strictObject({ bytes: z.int().min(0), mtimeMs: z.number(), sha256: z.string() });
const manifestSchema = z.strictObject({
  version: z.literal(1),
  files: z.record(z.string(), fileSchema),
  /** Leaves before the others. */
  passing: z.literal(true).optional(),
});
type Manifest = z.infer<typeof manifestSchema>;

const modelName = 'model.onnx';
export const weightsName = 'weights.data';
const manifestName = 'manifest.json';
const entryPattern = /^[0-9a-f]{32}$/;
/** Packing takes minutes at most: an older temporary folder belongs to a process that was killed. */
const abandonedAfterMs = 3_600_000;

export class PackedCache {
  private readonly directory: string;
  private readonly budgetBytes: number;

  constructor({ directory, budgetBytes }: PackedCacheOptions) {
    this.directory = directory;
    this.budgetBytes = budgetBytes;
  }

  /** Path of the packed graph, or undefined where there is none or it is damaged; a damaged entry is removed. */
  async find(key: string): Promise<string | undefined> {
    const folder = join(this.directory, key);
    const manifest = await readManifest(folder);
    if (manifest === undefined || !(await isIntact(folder, manifest))) {
      await this.discard(key);
      return undefined;
    }
    const now = new Date();
    // Fails where another process has just evicted the entry; opening it then fails too and is handled there.
    await utimes(join(folder, manifestName), now, now).catch(() => undefined);
    return join(folder, modelName);
  }

  /** Whether an entry of about this size fits the budget, and the disk with room to spare. */
  async hasRoomFor(bytes: number): Promise<boolean> {
    if (bytes > this.budgetBytes) return false;
    await mkdir(this.directory, { recursive: true });
    const { bavail, bsize } = await statfs(this.directory);
    return 2 * bytes < bavail * bsize;
  }

  /**
   * Makes an entry: `build` writes the model, and its weights beside it under {@link weightsName}. Returns the path
   * of the packed graph. Whatever `build` throws is passed on and nothing is left behind. `passing` entries are the first
   * that are removed when the budget is exceeded: every strength of an adapter makes one, and few come again.
   */
  async add(key: string, build: (modelPath: string) => Promise<void>, passing = false): Promise<string> {
    await mkdir(this.directory, { recursive: true });
    const temporary = join(this.directory, `tmp-${randomUUID()}`);
    await mkdir(temporary);
    try {
      await build(join(temporary, modelName));
      const files: Manifest['files'] = {};
      for (const name of await readdir(temporary)) {
        await flush(join(temporary, name));
        files[name] = await describe(join(temporary, name));
      }
      await this.shareWeights(temporary, files);
      const manifest: Manifest = { version: 1, files, ...(passing ? { passing } : {}) };
      await writeFile(join(temporary, manifestName), JSON.stringify(manifest), { flush: true });
      await this.publish(temporary, key);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    await this.evict(key);
    return join(this.directory, key, modelName);
  }

  /** Removes an entry; sessions and processes that have it mapped keep it until they let go. */
  async discard(key: string): Promise<void> {
    const doomed = join(this.directory, `tmp-${randomUUID()}`);
    try {
      // Renamed first, so that nobody sees half an entry.
      await rename(join(this.directory, key), doomed);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await rm(doomed, { recursive: true, force: true });
  }

  private async publish(temporary: string, key: string): Promise<void> {
    try {
      await rename(temporary, join(this.directory, key));
    } catch (error) {
      // Another process was first: its entry is as good as ours.
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) throw error;
      if ((await this.find(key)) === undefined) await rename(temporary, join(this.directory, key));
    }
  }

  /** Replaces new weights by a link to equal ones that are in the cache already. */
  private async shareWeights(folder: string, files: Manifest['files']): Promise<void> {
    const ours = files[weightsName];
    if (ours === undefined) return;
    for (const { key, manifest } of await this.entries()) {
      const theirs = manifest.files[weightsName];
      if (theirs === undefined || theirs.bytes !== ours.bytes || theirs.sha256 !== ours.sha256) continue;
      const linked = join(folder, `${weightsName}.link`);
      try {
        if (!(await isIntact(join(this.directory, key), manifest))) continue;
        await link(join(this.directory, key, weightsName), linked);
      } catch {
        // No hard links here, or the other entry was just evicted: keep our own copy.
        return;
      }
      await rename(linked, join(folder, weightsName));
      files[weightsName] = theirs;
      return;
    }
  }

  private async evict(keep: string): Promise<void> {
    const last = ({ manifest }: { manifest: Manifest }) => (manifest.passing ? 0 : 1);
    const entries = (await this.entries()).sort((a, b) => last(a) - last(b) || a.usedMs - b.usedMs);
    let total = await this.bytesOnDisk(entries.map(({ key }) => key));
    while (total > this.budgetBytes) {
      const oldest = entries.shift();
      if (oldest === undefined) break;
      if (oldest.key === keep) continue;
      try {
        await this.discard(oldest.key);
      } catch {
        // Mapped by a process on a system that locks mapped files: it goes next time.
        continue;
      }
      total = await this.bytesOnDisk([keep, ...entries.map(({ key }) => key)]);
    }
    for (const name of await readdir(this.directory)) {
      if (!name.startsWith('tmp-')) continue;
      const path = join(this.directory, name);
      const age = await stat(path).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
    }
  }

  private async entries(): Promise<{ key: string; manifest: Manifest; usedMs: number }[]> {
    const found = [];
    for (const key of await readdir(this.directory)) {
      if (!entryPattern.test(key)) continue;
      const folder = join(this.directory, key);
      const manifest = await readManifest(folder);
      const usedMs = await stat(join(folder, manifestName)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      found.push({ key, manifest: manifest ?? { version: 1 as const, files: {} }, usedMs });
    }
    return found;
  }

  /** A file that several entries share counts once. */
  private async bytesOnDisk(keys: readonly string[]): Promise<number> {
    const files = new Map<string, number>();
    for (const key of new Set(keys)) {
      for (const name of [modelName, weightsName]) {
        const found = await stat(join(this.directory, key, name)).catch(() => undefined);
        if (found !== undefined) files.set(`${found.dev}:${found.ino}`, found.size);
      }
    }
    return [...files.values()].reduce((sum, size) => sum + size, 0);
  }
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, manifestName), 'utf8')));
  } catch {
    // Missing, cut short or of another version: in every case the entry cannot be used.
    return undefined;
  }
}

/**
 * The graph is hashed every time. Weights are hashed only if their time has changed since they were packed: hashing
 * gigabytes would take longer than everything else a start does.
 */
async function isIntact(folder: string, manifest: Manifest): Promise<boolean> {
  if (manifest.files[modelName] === undefined) return false;
  for (const [name, expected] of Object.entries(manifest.files)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.size !== expected.bytes) return false;
    if (name === weightsName && found.mtimeMs === expected.mtimeMs) continue;
    if ((await sha256(path)) !== expected.sha256) return false;
  }
  return true;
}

async function describe(path: string): Promise<z.infer<typeof fileSchema>> {
  const { size, mtimeMs } = await stat(path);
  return { bytes: size, mtimeMs, sha256: await sha256(path) };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** onnxruntime leaves what it wrote to the system; an entry must not outlive a power cut with holes in it. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
