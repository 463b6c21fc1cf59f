import type { GenerationStatus } from '../../contracts/generation.ts';
import type { Tx } from '../db/database.ts';
import {
  generationColumns,
  type GenerationFilter,
  type GenerationRow,
  type GenerationUpdate,
} from '../db/rows.ts';
import { recordEvent } from '../events/log.ts';
import { toGeneration } from '../serialize.ts';
import { statesBefore } from './states.ts';

export interface Change {
  to: GenerationStatus;
  /** Only out of these; all that lead there where it is missing. */
  from?: readonly GenerationStatus[];
  data: GenerationUpdate;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Moves one generation to another state, if it is in a state that allows it and `where` still holds, and writes the
 * event. The condition is part of the update, so whoever comes second changes nothing.
 * @returns the row after the change, or null when it did not happen
 */
export async function transition(
  tx: Tx,
  where: GenerationFilter & ({ id: string } | { claimToken: string }),
  { to, from = statesBefore(to), data, now }: Change,
): Promise<GenerationRow | null> {
  const candidate = await tx.generation.findFirst({ where, select: { id: true } });
  if (candidate === null) return null;
  const { id } = candidate;
  const { count } = await tx.generation.updateMany({
    where: { AND: [where, { id, status: { in: [...from] } }] },
    data: { ...data, status: to },
  });
  if (count === 0) return null;
  return announce(tx, id, now);
}

/** Writes a `status` event with the generation as it is now. */
export async function announce(tx: Tx, id: string, now: number): Promise<GenerationRow> {
  const row = await tx.generation.findUniqueOrThrow({ where: { id }, select: generationColumns });
  const generation = toGeneration(row, row.status === 'queued' ? await countAhead(tx, row) : null);
  await recordEvent(tx, { type: 'status', generationId: id, generation }, now);
  return row;
}

/** How many waiting jobs run before this one. */
export function countAhead(
  tx: Pick<Tx, 'generation'>,
  row: Pick<GenerationRow, 'queueOrder' | 'seq'>,
): Promise<number> {
  return tx.generation.count({
    where: {
      status: 'queued',
      OR: [{ queueOrder: { lt: row.queueOrder } }, { queueOrder: row.queueOrder, seq: { lt: row.seq } }],
    },
  });
}

/** `queueOrder` behind everything that waits. The time alone would be in front of it once the clock was put back. */
export async function endOfQueue(tx: Tx, now: number): Promise<number> {
  const last = await tx.generation.findFirst({
    where: { status: 'queued' },
    select: { queueOrder: true },
    orderBy: { queueOrder: 'desc' },
  });
  return Math.max(now, last?.queueOrder ?? now);
}

/** What a row no longer says once nobody works on it. */
export const unclaimed = {
  claimToken: null,
  workerId: null,
  heartbeatAt: null,
  leaseExpiresAt: null,
  etaSeconds: null,
} satisfies GenerationUpdate;

/** A waiting row as if it had never been claimed. */
export const waitingAgain = {
  ...unclaimed,
  progress: 0,
  step: null,
  startedAt: null,
  finishedAt: null,
  cancelRequestedAt: null,
} satisfies GenerationUpdate;

/** Ends what waits, asks what runs to end; null when it is over already. */
export async function cancelIn(tx: Tx, id: string, now: number): Promise<GenerationRow | null> {
  const at = new Date(now);
  const over = { ...unclaimed, cancelRequestedAt: at, finishedAt: at };
  return (
    (await transition(tx, { id }, { to: 'cancelled', from: ['queued'], data: over, now })) ??
    (await transition(
      tx,
      { id },
      { to: 'cancelling', data: { cancelRequestedAt: at, etaSeconds: null }, now },
    ))
  );
}
