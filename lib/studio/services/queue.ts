import type { Queue } from '../../contracts/api.ts';
import { EncoreError } from '../../contracts/errors.ts';
import type { Generation } from '../../contracts/generation.ts';
import { numberQueue } from '../db/number-queue.ts';
import { generationColumns, QUEUE_ORDER } from '../db/rows.ts';
import { announce, countAhead } from '../jobs/transition.ts';
import { toGeneration } from '../serialize.ts';
import { readSettings, writeSettings } from '../settings.ts';
import type { Studio } from '../studio.ts';

/** Waiting jobs that are shown; the rest is a number. */
const SHOWN = 200;

/** What runs now and what waits, in the order it will run. */
export async function getQueue(studio: Studio): Promise<Queue> {
  return studio.db.read(async (r) => {
    const [running, queued, { queuePaused }] = await Promise.all([
      r.generation.findMany({
        where: { status: { in: ['running', 'cancelling'] }, deletedAt: null },
        select: generationColumns,
        orderBy: { seq: 'asc' },
      }),
      r.generation.findMany({
        where: { status: 'queued' },
        select: generationColumns,
        orderBy: QUEUE_ORDER,
        take: SHOWN,
      }),
      readSettings(r),
    ]);
    return {
      paused: queuePaused,
      running: running.map((row) => toGeneration(row, null)),
      queued: queued.map((row, index) => toGeneration(row, index)),
    };
  });
}

/** While paused, what runs goes on and nothing new is started. Survives restarts. */
export async function setQueuePaused(studio: Studio, paused: boolean): Promise<Queue> {
  await studio.db.write((tx) => writeSettings(tx, { queuePaused: paused }, studio.now()));
  return getQueue(studio);
}

/**
 * Moves a waiting generation to a position, 0 being the next to run; too large a position is the end.
 * @throws EncoreError `not_found`, `conflict` when it does not wait any more
 */
export async function moveInQueue(studio: Studio, id: string, position: number): Promise<Generation> {
  const { row, ahead } = await studio.db.write(async (tx) => {
    const job = await tx.generation.findUnique({ where: { id, deletedAt: null }, select: { status: true } });
    if (job === null) throw new EncoreError('not_found', `There is no generation ${id.slice(0, 80)}.`);
    if (job.status !== 'queued')
      throw new EncoreError('conflict', `Generation ${id} is ${job.status} and does not wait.`);
    const others = await tx.generation.findMany({
      where: { status: 'queued', id: { not: id } },
      select: { id: true, queueOrder: true },
      orderBy: QUEUE_ORDER,
    });
    const at = Math.min(Math.max(0, position), others.length);
    const before = others[at - 1]?.queueOrder;
    const after = others[at]?.queueOrder;
    let order = between(before, after) ?? studio.now();
    if (order === before || order === after) {
      // Neighbours of the same order (stored in the same millisecond, or halved too often): number all of them anew.
      const first = (others[0]?.queueOrder ?? studio.now()) - others.length - 1;
      await numberQueue(tx, { first, except: id, gapAt: at });
      order = first + at;
    }
    await tx.generation.update({ where: { id }, data: { queueOrder: order }, select: { seq: true } });
    const moved = await announce(tx, id, studio.now());
    return { row: moved, ahead: await countAhead(tx, moved) };
  });
  return toGeneration(row, ahead);
}

function between(before: number | undefined, after: number | undefined): number | undefined {
  if (before !== undefined && after !== undefined) return (before + after) / 2;
  if (before !== undefined) return before + 1;
  return after === undefined ? undefined : after - 1;
}
