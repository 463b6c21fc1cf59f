import type { Bulk } from '../../contracts/studio.ts';
import type { Tx } from '../db/database.ts';
import { portions } from '../db/portions.ts';
import type { GenerationFilter } from '../db/rows.ts';
import { recordEvents } from '../events/log.ts';
import { announce, cancelIn } from '../jobs/transition.ts';
import type { Studio } from '../studio.ts';
import { requireBoard } from './boards.ts';

/**
 * Changes many generations in one transaction: all of them or, when it fails, none.
 * @returns those that were there and changed, in the order asked for
 * @throws EncoreError `not_found` for a board that does not exist
 */
export async function changeGenerations(studio: Studio, bulk: Bulk): Promise<string[]> {
  return studio.db.write(async (tx) => {
    const now = studio.now();
    if (bulk.action === 'move' && bulk.boardId !== null) await requireBoard(tx, bulk.boardId);
    const ids = [...new Set(bulk.ids)];
    const changed: string[] = [];
    for (const some of portions(ids)) changed.push(...(await changeSome(tx, bulk, some, now)));
    return changed;
  });
}

async function changeSome(tx: Tx, bulk: Bulk, ids: string[], now: number): Promise<string[]> {
  const rows = await tx.generation.findMany({
    where: { id: { in: ids }, ...notYet(bulk) },
    select: { id: true, status: true },
  });
  const there = new Map(rows.map(({ id, status }) => [id, status]));
  const changed = ids.filter((id) => there.has(id));
  if (bulk.action === 'delete') {
    const open = changed.filter((id) => ['queued', 'running'].includes(there.get(id) ?? ''));
    for (const id of open) await cancelIn(tx, id, now);
  }
  await apply(tx, bulk, changed, now);
  return changed;
}

/** What an action would change. */
function notYet(bulk: Bulk): GenerationFilter {
  switch (bulk.action) {
    case 'delete':
      return { deletedAt: null };
    case 'restore':
      return { deletedAt: { not: null } };
    case 'star':
    case 'unstar':
      return { deletedAt: null, starred: bulk.action === 'unstar' };
    case 'move':
      // Null is neither equal nor unequal to anything in SQL.
      return bulk.boardId === null
        ? { deletedAt: null, boardId: { not: null } }
        : { deletedAt: null, OR: [{ boardId: null }, { boardId: { not: bulk.boardId } }] };
  }
}

async function apply(tx: Tx, bulk: Bulk, ids: string[], now: number): Promise<void> {
  const where = { id: { in: ids } };
  switch (bulk.action) {
    case 'delete':
      await tx.generation.updateMany({ where, data: { deletedAt: new Date(now) } });
      await recordEvents(
        tx,
        ids.map((generationId) => ({ type: 'deleted', generationId })),
        now,
      );
      return;
    case 'restore':
      await tx.generation.updateMany({ where, data: { deletedAt: null } });
      break;
    case 'star':
    case 'unstar':
      await tx.generation.updateMany({ where, data: { starred: bulk.action === 'star' } });
      break;
    case 'move':
      await tx.generation.updateMany({ where, data: { boardId: bulk.boardId } });
      break;
  }
  for (const id of ids) await announce(tx, id, now);
}
