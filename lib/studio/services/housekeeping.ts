import type { Studio } from '../studio.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long a delete can be undone. */
export const UNDO_MS = 24 * HOUR;
/** A client that reconnects late still gets every preview once; after that the finished picture is there. */
const PREVIEWS_MS = 5 * MINUTE;
const EVENTS_MS = 7 * 24 * HOUR;
const WORKERS_MS = 24 * HOUR;
/** Rows removed by one transaction, so that nobody waits long for it. */
const BATCH = 200;

/** Removes what nobody can ask for any more. Any worker does this now and then; two at once do no harm. */
export async function tidy(studio: Studio): Promise<void> {
  await purgeDeleted(studio);
  const now = studio.now();
  await studio.db.write(async (tx) => {
    await tx.event.deleteMany({ where: { type: 'preview', createdAt: { lt: new Date(now - PREVIEWS_MS) } } });
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
        select: { seq: true, assets: { select: { hash: true, type: true } } },
        take: BATCH,
      });
      if (rows.length === 0) return null;
      await tx.generation.deleteMany({ where: { seq: { in: rows.map(({ seq }) => seq) } } });
      return rows.flatMap(({ assets }) => assets);
    });
    if (files === null) return;
    // After the commit: a crash in between leaves a file without a row, never a row without its file.
    for (const { hash, type } of files) {
      const used = await studio.db.read((r) => r.asset.count({ where: { hash } }));
      if (used > 0) continue;
      await studio.assets.remove(hash, type, now);
      await studio.thumbnails.remove(hash);
    }
  }
}
