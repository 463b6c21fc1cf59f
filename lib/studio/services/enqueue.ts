import { EncoreError } from '../../contracts/errors.ts';
import type { Generation, GenerationParams } from '../../contracts/generation.ts';
import type { Tx } from '../db/database.ts';
import { generationColumns, type InputRow } from '../db/rows.ts';
import { recordEvents } from '../events/log.ts';
import { MAX_ATTEMPTS } from '../jobs/states.ts';
import { countAhead, endOfQueue } from '../jobs/transition.ts';
import { searchable } from '../search.ts';
import { toGeneration } from '../serialize.ts';
import type { Studio } from '../studio.ts';
import { picturesOf, resolvePictures } from './pictures.ts';

export interface NewGeneration {
  id: string;
  params: GenerationParams;
  idempotencyKey: string | null;
  requestHash: string | null;
  verifiesId?: string;
}

export interface Enqueued {
  generation: Generation;
  replayed: boolean;
}

interface Waiting {
  item: NewGeneration;
  resolve: (outcome: Enqueued) => void;
  reject: (error: unknown) => void;
}

/** Requests stored by one transaction at most. */
const GROUP = 200;

/**
 * Group commit: while one transaction is on its way to the disk, requests that arrive form the next one. A single
 * request waits for nobody; a burst costs one fsync for all of it instead of one for each.
 */
class Enqueuer {
  readonly #studio: Studio;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  add(item: NewGeneration): Promise<Enqueued> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP);
      try {
        const items = group.map(({ item }) => item);
        const outcomes = await this.#studio.db.write((tx) => store(tx, this.#studio, items));
        group.forEach(({ resolve, reject }, i) => {
          const outcome = outcomes[i];
          if (outcome === undefined || outcome instanceof EncoreError) reject(outcome);
          else resolve(outcome);
        });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }
}

const enqueuers = new WeakMap<Studio, Enqueuer>();

export function enqueue(studio: Studio, item: NewGeneration): Promise<Enqueued> {
  let enqueuer = enqueuers.get(studio);
  if (enqueuer === undefined) enqueuers.set(studio, (enqueuer = new Enqueuer(studio)));
  return enqueuer.add(item);
}

/** One outcome for each item, in their order. A refused item does not refuse the others. */
async function store(
  tx: Tx,
  studio: Studio,
  items: readonly NewGeneration[],
): Promise<(Enqueued | EncoreError)[]> {
  const now = studio.now();
  const waiting = await tx.generation.count({ where: { status: 'queued' } });
  const known = await findByKey(tx, items);
  const inputs = await findInputs(tx, items);
  const fresh: NewGeneration[] = [];
  const verdicts = items.map((item) => {
    const before = item.idempotencyKey === null ? undefined : known.get(item.idempotencyKey);
    if (before !== undefined) return before.requestHash === item.requestHash ? before.id : conflict(item);
    if (waiting + fresh.length >= studio.env.queueLimit) return full(studio.env.queueLimit);
    const pictures = inputs.get(item);
    if (pictures instanceof EncoreError) return pictures;
    fresh.push(item);
    if (item.idempotencyKey !== null) known.set(item.idempotencyKey, item);
    return item.id;
  });
  if (fresh.length > 0) {
    const queueOrder = await endOfQueue(tx, now);
    await tx.generation.createMany({ data: fresh.map((item) => toRow(item, now, queueOrder)) });
  }
  await keepInputs(tx, fresh, inputs, now);

  const ids = verdicts.filter((verdict) => typeof verdict === 'string');
  const rows = await tx.generation.findMany({ where: { id: { in: ids } }, select: generationColumns });
  const place = new Map(fresh.map(({ id }, index) => [id, waiting + index]));
  const shown = new Map<string, Generation>();
  for (const row of rows) {
    const ahead = place.get(row.id) ?? (row.status === 'queued' ? await countAhead(tx, row) : null);
    shown.set(row.id, toGeneration(row, ahead));
  }
  await recordEvents(
    tx,
    fresh.map(({ id }) => ({ type: 'status', generationId: id, generation: shown.get(id) as Generation })),
    now,
  );
  return verdicts.map((verdict, i) =>
    verdict instanceof EncoreError
      ? verdict
      : { generation: shown.get(verdict) as Generation, replayed: verdict !== items[i]?.id },
  );
}

/** Asked in the transaction that stores the request, so that no picture is cleared away in between. */
async function findInputs(
  tx: Tx,
  items: readonly NewGeneration[],
): Promise<Map<NewGeneration, InputRow[] | EncoreError>> {
  const inputs = new Map<NewGeneration, InputRow[] | EncoreError>();
  for (const item of items) {
    if (picturesOf(item.params).length === 0) continue;
    const found = await resolvePictures(tx, item.params).catch((error: unknown) => {
      if (error instanceof EncoreError) return error;
      throw error;
    });
    inputs.set(item, found);
  }
  return inputs;
}

async function keepInputs(
  tx: Tx,
  fresh: readonly NewGeneration[],
  inputs: Map<NewGeneration, InputRow[] | EncoreError>,
  now: number,
): Promise<void> {
  const rows = fresh.flatMap((item) => {
    const pictures = inputs.get(item);
    return Array.isArray(pictures) ? pictures.map((row) => ({ ...row, generationId: item.id })) : [];
  });
  if (rows.length === 0) return;
  await tx.generationInput.createMany({ data: rows });
  await tx.upload.updateMany({
    where: { id: { in: rows.map(({ pictureId }) => pictureId) } },
    data: { lastUsedAt: new Date(now) },
  });
}

async function findByKey(
  tx: Tx,
  items: readonly NewGeneration[],
): Promise<Map<string, Pick<NewGeneration, 'id' | 'requestHash'>>> {
  const keys = items.map(({ idempotencyKey }) => idempotencyKey).filter((key) => key !== null);
  if (keys.length === 0) return new Map();
  const rows = await tx.generation.findMany({
    where: { idempotencyKey: { in: keys } },
    select: { id: true, idempotencyKey: true, requestHash: true },
  });
  return new Map(rows.map((row) => [row.idempotencyKey ?? '', row]));
}

function toRow(
  { id, params, idempotencyKey, requestHash, verifiesId }: NewGeneration,
  now: number,
  queueOrder: number,
) {
  return {
    id,
    task: params.task,
    status: 'queued',
    model: params.model,
    prompt: params.prompt,
    searchText: searchable(`${params.prompt}\n${params.negativePrompt}`),
    params,
    queueOrder,
    maxAttempts: MAX_ATTEMPTS,
    idempotencyKey,
    requestHash,
    verifiesId,
    createdAt: new Date(now),
  };
}

function conflict({ idempotencyKey }: NewGeneration): EncoreError {
  return new EncoreError(
    'idempotency_conflict',
    `The idempotency key "${idempotencyKey}" belongs to another request.`,
    {
      remedy: 'Use a new key for a new request.',
    },
  );
}

function full(limit: number): EncoreError {
  return new EncoreError('queue_full', `${limit} generations are waiting already.`, {
    remedy: 'Wait until some are done, or cancel some.',
    retryable: true,
  });
}
