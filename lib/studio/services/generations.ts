import { createHash, randomUUID } from 'node:crypto';
import type {
  GenerationList,
  GenerationPatch,
  GenerationQuery,
  Outline,
  OutlineQuery,
} from '../../contracts/api.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { type Generation, type GenerationRequest, terminalStatuses } from '../../contracts/generation.ts';
import { cursorAfter, readCursor } from '../cursor.ts';
import { generationColumns, type GenerationRow, NO_JSON, QUEUE_ORDER } from '../db/rows.ts';
import type { Tx } from '../db/database.ts';
import { findHistory, outlineHistory } from '../db/history.ts';
import { announce, cancelIn, countAhead, endOfQueue, transition, waitingAgain } from '../jobs/transition.ts';
import { searchable } from '../search.ts';
import { toGeneration } from '../serialize.ts';
import type { Studio } from '../studio.ts';
import { fillDefaults } from '../models/fill-defaults.ts';
import { requireBoard } from './boards.ts';
import { changeGenerations } from './bulk.ts';
import { defaultModelId, requireAdapters } from './models.ts';
import { findPicture } from './pictures.ts';
import { enqueue, type NewGeneration } from './enqueue.ts';

export interface CreateOptions {
  /** The same key with the same request gives the generation that is already there; with another it is refused. */
  idempotencyKey?: string;
}

/**
 * Stores a request as a waiting generation; it is on the disk when this returns.
 * @returns `replayed` is true when the idempotency key had been used for the same request before
 * @throws EncoreError `unknown_model`, `invalid_parameter`, `idempotency_conflict`, `queue_full`, `storage_full`, `database_unavailable`
 */
export async function createGeneration(
  studio: Studio,
  request: GenerationRequest,
  { idempotencyKey }: CreateOptions = {},
): Promise<{ generation: Generation; replayed: boolean }> {
  const { item: model } = await studio.models.get(request.model ?? (await defaultModelId(studio)));
  if (!model.tasks.includes(request.task)) {
    throw new EncoreError('unsupported_task', `${model.id} cannot do ${request.task}.`);
  }
  await requireAdapters(studio, request, model);
  await studio.requireSpace();
  const { image } = request;
  const picture =
    image === undefined ? undefined : ((await studio.db.read((r) => findPicture(r, image))) ?? undefined);
  const generation: NewGeneration = {
    id: randomUUID(),
    params: fillDefaults(request, model, studio.randomSeed, picture),
    idempotencyKey: idempotencyKey ?? null,
    requestHash: idempotencyKey === undefined ? null : hashOf(request),
  };
  return enqueue(studio, generation);
}

/** @throws EncoreError `not_found` */
export async function getGeneration(studio: Studio, id: string): Promise<Generation> {
  return studio.db.read(async (r) => {
    const row = await r.generation.findUnique({ where: { id, deletedAt: null }, select: generationColumns });
    if (row === null) throw notFound(id);
    return toGeneration(row, row.status === 'queued' ? await countAhead(r, row) : null);
  });
}

/** A page of the history, newest first. @throws EncoreError `invalid_request` for a cursor that is not one of ours */
export async function listGenerations(studio: Studio, query: GenerationQuery): Promise<GenerationList> {
  const { cursor, q = '', ...filter } = query;
  const limit = Math.max(query.limit, filter.ids?.length ?? 0);
  const words = wordsOf(q);
  const before = cursor === undefined ? undefined : readCursor('seq', cursor);
  return studio.db.read(async (r) => {
    const rows = await findHistory(r, { ...filter, words }, limit + 1, before);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: await withPositions(r, page),
      nextCursor: rows.length > limit && last !== undefined ? cursorAfter('seq', last.seq) : null,
    };
  });
}

/** Which generations there are and from when, newest first, without what they are. */
export async function outlineGenerations(
  studio: Studio,
  { q = '', ...filter }: OutlineQuery,
): Promise<Outline> {
  return {
    quarters: await studio.db.read((r) => outlineHistory(r, { ...filter, words: wordsOf(q) })),
  };
}

function wordsOf(q: string): string[] {
  return searchable(q).split(/\s+/).filter(Boolean);
}

/**
 * A waiting generation is cancelled at once; a running one is `cancelling` until the engine has let go. Cancelling
 * what is being cancelled is not an error.
 * @throws EncoreError `not_found`, `conflict` when it is over
 */
export async function cancelGeneration(studio: Studio, id: string): Promise<Generation> {
  const row = await studio.db.write(async (tx) => {
    const row = await find(tx, id);
    if (row.status === 'cancelling') return row;
    const cancelled = await cancelIn(tx, id, studio.now());
    if (cancelled === null)
      throw new EncoreError('conflict', `Generation ${id} is ${row.status} and cannot be cancelled.`);
    return cancelled;
  });
  return toGeneration(row, null);
}

/**
 * Puts a failed or cancelled generation back into the queue: the same row, with the same parameters and seed.
 * @throws EncoreError `not_found`, `conflict` when it did not fail
 */
export async function retryGeneration(studio: Studio, id: string): Promise<Generation> {
  await studio.db.write(async (tx) => {
    const row = await find(tx, id);
    const now = studio.now();
    const queueOrder = await endOfQueue(tx, now);
    const fresh = { ...waitingAgain, attempt: 0, crashes: 0, error: NO_JSON, queueOrder };
    if (
      (await transition(tx, { id }, { to: 'queued', from: ['failed', 'cancelled'], data: fresh, now })) ===
      null
    ) {
      throw new EncoreError(
        'conflict',
        `Generation ${id} is ${row.status}; only failed and cancelled ones are tried again.`,
      );
    }
  });
  return getGeneration(studio, id);
}

/** Stars it, or puts it on a board (null: on none). @throws EncoreError `not_found`, also for the board */
export async function updateGeneration(
  studio: Studio,
  id: string,
  patch: GenerationPatch,
): Promise<Generation> {
  await studio.db.write(async (tx) => {
    await find(tx, id);
    if (typeof patch.boardId === 'string') await requireBoard(tx, patch.boardId);
    const { starred, boardId } = patch;
    await tx.generation.updateMany({ where: { id }, data: { starred, boardId } });
    await announce(tx, id, studio.now());
  });
  return getGeneration(studio, id);
}

/**
 * Hides a generation at once; {@link restoreGeneration} brings it back until its files are purged (see housekeeping.ts).
 * What runs or waits is cancelled.
 * @throws EncoreError `not_found`
 */
export async function deleteGeneration(studio: Studio, id: string): Promise<void> {
  const changed = await changeGenerations(studio, { action: 'delete', ids: [id] });
  if (changed.length === 0) throw notFound(id);
}

/** Undoes {@link deleteGeneration}. Not an error when it was not deleted. @throws EncoreError `not_found` */
export async function restoreGeneration(studio: Studio, id: string): Promise<Generation> {
  await changeGenerations(studio, { action: 'restore', ids: [id] });
  return getGeneration(studio, id);
}

/**
 * Waits until a generation is over, at most `seconds`, and returns it in whatever state it then is.
 * @throws EncoreError `not_found`
 */
export async function waitForGeneration(
  studio: Studio,
  id: string,
  seconds: number,
  signal?: AbortSignal,
): Promise<Generation> {
  const timeout = AbortSignal.timeout(Math.max(0, seconds) * 1000);
  const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const from = await studio.events.latestId();
  const generation = await getGeneration(studio, id);
  if (isOver(generation)) return generation;
  for await (const { event } of studio.events.subscribe(from, { generationId: id }, stop)) {
    if (event.type === 'deleted' || (event.type === 'status' && isOver(event.generation))) break;
  }
  return getGeneration(studio, id);
}

export function isOver({ status }: Pick<Generation, 'status'>): boolean {
  return (terminalStatuses as readonly string[]).includes(status);
}

/** Serializes rows with the queue positions of those that wait. */
async function withPositions(r: Pick<Tx, 'generation'>, rows: GenerationRow[]): Promise<Generation[]> {
  const waiting = rows.filter((row) => row.status === 'queued');
  if (waiting.length === 0) return rows.map((row) => toGeneration(row, null));
  const queue = await r.generation.findMany({
    where: { status: 'queued' },
    select: { id: true },
    orderBy: QUEUE_ORDER,
  });
  const position = new Map(queue.map(({ id }, index) => [id, index]));
  return rows.map((row) => toGeneration(row, position.get(row.id) ?? null));
}

async function find(tx: Tx, id: string): Promise<GenerationRow> {
  const row = await tx.generation.findUnique({ where: { id, deletedAt: null }, select: generationColumns });
  if (row === null) throw notFound(id);
  return row;
}

function notFound(id: string): EncoreError {
  return new EncoreError('not_found', `There is no generation ${id.slice(0, 80)}.`);
}

function hashOf(request: GenerationRequest): string {
  const sorted = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
