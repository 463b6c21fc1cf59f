import { createHash } from 'node:crypto';
import { createReadStream, stat } from '../disk.ts';
import { portions } from '../db/portions.ts';
import type { Found } from '../models/read-installed.ts';
import { readSafetensorsHeader } from '../models/safetensors-header.ts';
import { isWeights } from '../models/weight-facts.ts';
import type { Studio } from '../studio.ts';

export interface FileHash {
  /** Of the whole file, hex. */
  sha256: string;
  /** Of what follows the header of a safetensors file, hex: the hash by which A1111 names LoRAs. */
  dataSha256: string;
}

/** The hashes that are known of files as they are now, by path. Folders have none. */
export async function knownHashes(
  studio: Studio,
  installed: readonly Found[],
): Promise<Map<string, FileHash>> {
  const paths = installed.map(({ path }) => path).filter(isWeights);
  const rows = await studio.db.read(async (r) => {
    const found = [];
    for (const some of portions(paths))
      found.push(...(await r.fileHash.findMany({ where: { path: { in: some } } })));
    return found;
  });
  const known = new Map<string, FileHash>();
  for (const { path, size, modifiedMs, sha256, dataSha256 } of rows) {
    const now = await stat(path).catch(() => null);
    if (now === null || BigInt(now.size) !== size || now.mtimeMs !== modifiedMs) continue;
    known.set(path, { sha256, dataSha256: dataSha256 ?? '' });
  }
  return known;
}

/** The hash of one file, read at most once for each content. */
export async function hashOf(studio: Studio, found: Found, signal?: AbortSignal): Promise<FileHash> {
  const { path } = found;
  const known = (await knownHashes(studio, [found])).get(path);
  if (known !== undefined) return known;
  const { size, mtimeMs } = await stat(path);
  const { dataStart } = await readSafetensorsHeader(path);
  const [whole, data] = [createHash('sha256'), createHash('sha256')];
  let at = 0;
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    whole.update(bytes);
    if (at + bytes.length > dataStart) data.update(bytes.subarray(Math.max(0, dataStart - at)));
    at += bytes.length;
  }
  const hash = { sha256: whole.digest('hex'), dataSha256: data.digest('hex') };
  const row = { size: BigInt(size), modifiedMs: mtimeMs, ...hash };
  await studio.db.write((tx) =>
    tx.fileHash.upsert({ where: { path }, create: { path, ...row }, update: row }),
  );
  return hash;
}

/** Hashes what is new among the installed files, and forgets those that went. A worker does this between other things, until the signal aborts. */
export async function hashInstalled(studio: Studio, signal: AbortSignal): Promise<void> {
  const files = (await studio.models.list()).filter(({ path }) => isWeights(path));
  const known = await knownHashes(studio, files);
  const installed = new Set(files.map(({ path }) => path));
  const rows = await studio.db.read((r) => r.fileHash.findMany({ select: { path: true } }));
  const gone = rows.map(({ path }) => path).filter((path) => !installed.has(path));
  if (gone.length > 0) {
    await studio.db.write(async (tx) => {
      for (const some of portions(gone)) await tx.fileHash.deleteMany({ where: { path: { in: some } } });
    });
  }
  for (const found of files) {
    if (signal.aborted) return;
    // A file that went away or cannot be read meanwhile is not installed any more.
    if (!known.has(found.path)) await hashOf(studio, found, signal).catch(() => undefined);
  }
}
