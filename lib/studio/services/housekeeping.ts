import { uploadLimits } from '../../contracts/pictures.ts';
import { POSTER_TYPE } from '../assets/store.ts';
import type { Studio } from '../studio.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long a delete can be undone. */
export const UNDO_MS = 24 * HOUR;
/** A client that reconnects late still gets every preview once; after that the finished picture, or the list, says all. */
const PREVIEWS_MS = 5 * MINUTE;
const EVENTS_MS = 7 * 24 * HOUR;
const WORKERS_MS = 24 * HOUR;
/** Rows removed by one transaction, so that nobody waits long for it. */
const BATCH = 200;

/** Removes what nobody can ask for any more. Any worker does this now and then; two at once do no harm. */
export async function tidy(studio: Studio): Promise<void> {
  await purgeDeleted(studio);
  await purgeUploads(studio);
  const now = studio.now();
  await studio.db.write(async (tx) => {
    const passing = { type: { in: ['preview', 'install'] }, createdAt: { lt: new Date(now - PREVIEWS_MS) } };
    await tx.event.deleteMany({ where: passing });
    await tx.event.deleteMany({ where: { createdAt: { lt: new Date(now - EVENTS_MS) } } });
    await tx.worker.deleteMany({ where: { heartbeatAt: { lt: new Date(now - WORKERS_MS) } } });
  });
  await studio.assets.sweep(now);
}

async function purgeDeleted(studio: Studio): Promise<void> {
  for (;;) {
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
 * Removes the files that no row names any more. After the commit: a crash in between leaves a file without a row, never a
 * row without its file.
 */
async function removeUnused(studio: Studio, files: readonly { hash: string; type: string }[]): Promise<void> {
  for (const { hash, type } of files) {
    const uses = await studio.db.read((r) =>
      Promise.all([
        r.asset.count({ where: { OR: [{ hash }, { posterHash: hash }] } }),
        r.generationInput.count({ where: { hash } }),
        r.upload.count({ where: { hash } }),
      ]),
    );
    if (uses.some((count) => count > 0)) continue;
    await studio.assets.remove(hash, type, studio.now());
    await studio.thumbnails.remove(hash);
  }
}
