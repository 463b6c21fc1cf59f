import { setTimeout as sleep } from 'node:timers/promises';
import type { StudioEvent } from '../../contracts/events.ts';
import type { Database, Tx } from '../db/database.ts';

/** An event as its reader gets it. Ids grow and never come twice; gaps are events that were pruned or rolled back. */
export interface LoggedEvent {
  id: number;
  event: StudioEvent;
}

export interface EventFilter {
  generationId?: string;
}

/** How long an event may lie in the table before a waiting reader sees it, in ms. */
const POLL_MS = 150;
const PAGE = 500;

/** Writes events in the transaction that caused them, so that there is never one without the other. */
export async function recordEvents(tx: Tx, events: readonly StudioEvent[], now: number): Promise<void> {
  const createdAt = new Date(now);
  await tx.event.createMany({
    data: events.map(({ type, ...data }) => {
      if ('installation' in data) return { type, generationId: data.installation.id, data, createdAt };
      const { generationId, ...rest } = data;
      return { type, generationId, data: rest, createdAt };
    }),
  });
}

export function recordEvent(tx: Tx, event: StudioEvent, now: number): Promise<void> {
  return recordEvents(tx, [event], now);
}

/**
 * The table of events as a stream. Any process can read it; all readers of a process share one cheap poll of the newest id
 * and what it finds, so hundreds of open pages cost what one does. Writers take the database's write lock, so ids become
 * visible in their order.
 */
export class EventLog {
  readonly #db: Database;
  #poll: Promise<void> | undefined;
  #asking: Promise<number> | undefined;
  readonly #reading = new Map<string, Promise<LoggedEvent[]>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** 0 when there is none yet. */
  async latestId(): Promise<number> {
    const newest = await this.#db.read((r) =>
      r.event.findFirst({ select: { id: true }, orderBy: { id: 'desc' } }),
    );
    return newest?.id ?? 0;
  }

  /** Up to `limit` events with an id above `after` (and at most `upTo`), oldest first. */
  async since(
    after: number,
    { generationId }: EventFilter = {},
    limit = PAGE,
    upTo?: number,
  ): Promise<LoggedEvent[]> {
    const rows = await this.#db.read((r) =>
      r.event.findMany({
        where: {
          id: { gt: after, ...(upTo === undefined ? {} : { lte: upTo }) },
          ...(generationId === undefined ? {} : { generationId }),
        },
        orderBy: { id: 'asc' },
        take: limit,
      }),
    );
    return rows.map(({ id, type, generationId, data }) => ({
      id,
      event: {
        type,
        ...(type === 'install' ? {} : { generationId }),
        ...(data as object),
      } as StudioEvent,
    }));
  }

  /**
   * Every event with an id above `after`, first those in the table, then each new one within about 150 ms, until the
   * signal aborts. An `after` from the future (of another database) means "from now on".
   */
  async *subscribe(
    after: number,
    filter: EventFilter,
    signal: AbortSignal,
  ): AsyncGenerator<LoggedEvent, void, void> {
    let cursor = Math.min(after, await this.#newest());
    while (!signal.aborted) {
      // Asked before reading: what comes in between is newer than `newest` and wakes the wait below.
      const newest = await this.#newest();
      const page = newest > cursor ? await this.#page(cursor, newest, filter) : [];
      for (const logged of page) {
        if (signal.aborted) return;
        if (concerns(logged, filter)) yield logged;
        cursor = logged.id;
      }
      // Ids up to `newest` that were not returned belong to other generations or were pruned.
      if (page.length < PAGE) {
        cursor = Math.max(cursor, newest);
        await this.#somethingAfter(cursor, signal);
      }
    }
  }

  /**
   * What came after `after`, up to `newest`. Whoever keeps up asks for the same few events as everybody else, and they are
   * read once, filter or not; only who is far behind has a query of its own.
   */
  #page(after: number, newest: number, filter: EventFilter): Promise<LoggedEvent[]> {
    if (newest - after > PAGE) return this.since(after, filter, PAGE, newest);
    const key = `${after}-${newest}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.since(after, {}, PAGE, newest).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #somethingAfter(cursor: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#poll ??= sleep(POLL_MS).then(() => {
        this.#poll = undefined;
      });
      await this.#poll;
      if ((await this.#newest()) > cursor) return;
    }
  }

  /** One query for all readers that ask at the same time. */
  #newest(): Promise<number> {
    this.#asking ??= this.latestId().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }
}

function concerns({ event }: LoggedEvent, { generationId }: EventFilter): boolean {
  return generationId === undefined || ('generationId' in event && event.generationId === generationId);
}
