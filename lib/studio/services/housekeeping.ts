import { uploadLimits } from '../../contracts/pictures.ts';
import { POSTER_TYPE } from '../assets/store.ts';
import type { Studio } from '../studio.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long a delete can be undone. */
export const UNDO_MS = 24 * HOUR;
/** A client that reconnects late still gets every step once; after that the newest state, or the list, says all. */
const PASSING_MS = 5 * MINUTE;
const PASSING = ['preview', 'progress', 'install'];
const EVENTS_MS = 7 * 24 * HOUR;
const WORKERS_MS = 24 * HOUR;
/** Rows removed by one transaction, so that nobody waits long for it. */
const BATCH = 200;

/**
 * Removes what nobody can ask for any more. Any worker does this now and then; two at once do no harm.
 * @param since when the worker started (ms): of files that no row ever named, those that came before are left alone
 * @param signal ends it early; the rest is done the next time
 */
export async function tidy(studio: Studio, since = Infinity, signal?: AbortSignal): Promise<void> {
  await purgeDeleted(studio, signal);
  await purgeUploads(studio);
  const now = studio.now();
  await studio.db.write(async (tx) => {
    const passing = { type: { in: PASSING }, createdAt: { lt: new Date(now - PASSING_MS) } };
    await tx.event.deleteMany({ where: passing });
    await tx.event.deleteMany({ where: { createdAt: { lt: new Date(now - EVENTS_MS) } } });
    await tx.worker.deleteMany({ where: { heartbeatAt: { lt: new Date(now - WORKERS_MS) } } });
  });
  await studio.assets.sweep(now);
  await removeUnnamed(studio, since);
}

async function purgeDeleted(studio: Studio, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true) {
    const now = studio.now();
    const files = await studio.db.write(async (tx) => {
      const rows = await tx.generation.findMany({
        where: {
          deletedAt: { lt: new Date(now - UNDO_MS) },
          status: { in: ['succeeded', 'failed', 'cancelled'] },
        },
        select: {
          seq: true,
          assets: { select: { hash: true, type: true, posterHash: true } },
          inputs: { select: { hash: true, type: true } },
        },
        take: BATCH,
      });
      if (rows.length === 0) return null;
      await tx.generation.deleteMany({ where: { seq: { in: rows.map(({ seq }) => seq) } } });
      return rows.flatMap(({ assets, inputs }) => [
        ...assets,
        ...assets.flatMap(({ posterHash }) =>
          posterHash === null ? [] : [{ hash: posterHash, type: POSTER_TYPE }],
        ),
        ...inputs,
      ]);
    });
    if (files === null) return;
    await removeUnused(studio, files);
  }
}

/** Those that were deleted, and those that were not used for long and that nothing was made from. */
async function purgeUploads(studio: Studio): Promise<void> {
  const now = studio.now();
  const unused = new Date(now - uploadLimits.uploadDays * 24 * HOUR);
  const files = await studio.db.write(async (tx) => {
    const rows = await tx.upload.findMany({
      where: {
        OR: [{ deletedAt: { lt: new Date(now - UNDO_MS) } }, { deletedAt: null, lastUsedAt: { lt: unused } }],
      },
      select: { id: true, hash: true, type: true, deletedAt: true },
      take: BATCH,
    });
    const gone = [];
    for (const row of rows) {
      const used = await tx.generationInput.count({ where: { pictureId: row.id } });
      if (row.deletedAt !== null || used === 0) gone.push(row);
      // Asked again only after it was unused for as long once more.
      else await tx.upload.update({ where: { id: row.id }, data: { lastUsedAt: new Date(now) } });
    }
    await tx.upload.deleteMany({ where: { id: { in: gone.map(({ id }) => id) } } });
    return gone;
  });
  await removeUnused(studio, files);
}

/**
 * Removes files that no row ever named: of jobs that were cancelled in the last moment, or failed half-way. Never one that
 * is older than the worker: a database that was put back to an earlier day does not know its newest pictures, and those
 * are not ours to remove. Looks at the newest files of a sixteenth of the folders each minute.
 */
async function removeUnnamed(studio: Studio, since: number): Promise<void> {
  const now = studio.now();
  const digit = (Math.floor(now / MINUTE) % 16).toString(16);
  await removeUnused(studio, await studio.assets.listSince(digit, Math.max(since, now - 24 * HOUR)));
}

/**
 * Removes the files that no row names any more. After the commit: a crash in between leaves a file without a row, never a
 * row without its file.
 */
async function removeUnused(studio: Studio, files: readonly { hash: string; type: string }[]): Promise<void> {
  for (let at = 0; at < files.length; at += BATCH) {
    const some = files.slice(at, at + BATCH);
    const named = await namedAmong(
      studio,
      some.map(({ hash }) => hash),
    );
    for (const { hash, type } of some) {
      if (named.has(hash)) continue;
      await studio.assets.remove(hash, type, studio.now());
      await studio.thumbnails.remove(hash);
    }
  }
}

async function namedAmong(studio: Studio, hashes: string[]): Promise<Set<string | null>> {
  const where = { hash: { in: hashes } };
  const select = { hash: true } as const;
  const rows = await studio.db.read((r) =>
    Promise.all([
      r.asset.findMany({ where, select }),
      r.generationInput.findMany({ where, select }),
      r.upload.findMany({ where, select }),
    ]),
  );
  const posters = await studio.db.read((r) =>
    r.asset.findMany({ where: { posterHash: { in: hashes } }, select: { posterHash: true } }),
  );
  return new Set([...rows.flat().map(({ hash }) => hash), ...posters.map(({ posterHash }) => posterHash)]);
}
