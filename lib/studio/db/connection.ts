import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaLibSql } from '@prisma/adapter-libsql';

type Client = ReturnType<PrismaLibSql['createClient']>;
type Transaction = Awaited<ReturnType<Client['transaction']>>;

export interface ConnectionOptions {
  /** Path of the database file; its folder is made when missing. */
  file: string;
  /** Refuses every write on this connection. Default false. */
  readOnly?: boolean;
  /** How long the start of a write waits for another process, in ms. */
  busyTimeout?: number;
}

/** Waiting inside SQLite blocks the whole process, so that is kept short and the long wait happens between tries. */
const BLOCKING_WAIT_MS = 50;
const RETRY_PAUSE_MS = 25;

/**
 * Prisma's libsql adapter on one connection that stays open.
 *
 * The adapter's own client opens a new connection after every transaction: PRAGMAs are lost and file handles pile up
 * until they are collected. The adapter lets nothing run beside a transaction, so one connection is enough. Its
 * transactions are DEFERRED, which fail at once when a reader becomes a writer too late; these start IMMEDIATE and
 * wait for another process without blocking this one.
 */
export class SqliteAdapter extends PrismaLibSql {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    super(
      { url: pathToFileURL(resolve(options.file)).href, timeout: BLOCKING_WAIT_MS },
      { timestampFormat: 'unixepoch-ms' },
    );
    mkdirSync(dirname(resolve(options.file)), { recursive: true });
    this.#options = options;
  }

  override createClient(config: Parameters<PrismaLibSql['createClient']>[0]): Client {
    return new OneConnection(super.createClient(config), this.#options);
  }

  /** The bare client, for migrations and PRAGMAs. */
  openClient(): OneConnection {
    const url = pathToFileURL(resolve(this.#options.file)).href;
    return new OneConnection(super.createClient({ url, timeout: BLOCKING_WAIT_MS }), this.#options);
  }
}

/** A libsql client whose transactions are statements on the same connection. */
export class OneConnection implements Client {
  readonly protocol = 'file';
  readonly #client: Client;
  readonly #busyTimeout: number;
  readonly #pragmas: string;
  #prepared: Promise<void> | undefined;

  constructor(client: Client, options: ConnectionOptions) {
    this.#client = client;
    this.#busyTimeout = options.busyTimeout ?? 15_000;
    // FULL: a commit is on the disk when it returns, so not even a power cut loses an accepted request.
    this.#pragmas = options.readOnly
      ? 'PRAGMA query_only = ON'
      : 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON';
  }

  get closed(): boolean {
    return this.#client.closed;
  }

  async execute(...args: Parameters<Client['execute']>): ReturnType<Client['execute']> {
    await this.#prepare();
    return this.#whenFree(() => this.#client.execute(...args));
  }

  async executeMultiple(sql: string): Promise<void> {
    await this.#prepare();
    return this.#client.executeMultiple(sql);
  }

  async transaction(): Promise<Transaction> {
    await this.execute('BEGIN IMMEDIATE');
    return new OpenTransaction(this.#client);
  }

  close(): void {
    this.#client.close();
  }

  batch(): never {
    throw new TypeError('batch is not used: run a transaction');
  }

  migrate(): never {
    throw new TypeError('migrate is not used: run a transaction');
  }

  sync(): never {
    throw new TypeError('sync is for replicas, this is a file');
  }

  async reconnect(): Promise<void> {
    this.#prepared = undefined;
    return this.#client.reconnect();
  }

  #prepare(): Promise<void> {
    this.#prepared ??= this.#whenFree(() => this.#client.executeMultiple(this.#pragmas)).catch(
      (error: unknown) => {
        this.#prepared = undefined;
        throw error;
      },
    );
    return this.#prepared;
  }

  async #whenFree<T>(run: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#busyTimeout;
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (!isBusy(error) || Date.now() >= deadline) throw error;
        await sleep(RETRY_PAUSE_MS);
      }
    }
  }
}

class OpenTransaction implements Transaction {
  readonly #client: Client;
  closed = false;

  constructor(client: Client) {
    this.#client = client;
  }

  execute(statement: Parameters<Transaction['execute']>[0]): ReturnType<Transaction['execute']> {
    return this.#client.execute(statement);
  }

  executeMultiple(): never {
    throw new TypeError('a script closes its transaction: run the statements one by one');
  }

  batch(): never {
    throw new TypeError('batch is not used: run the statements one by one');
  }

  async commit(): Promise<void> {
    this.closed = true;
    try {
      await this.#client.execute('COMMIT');
    } catch (error) {
      // A failed commit (a full disk) leaves the transaction open, and the connection has to go on.
      await this.#client.execute('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async rollback(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.#client.execute('ROLLBACK');
  }

  close(): void {
    this.closed = true;
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'SQLITE_BUSY' || error.code === 'SQLITE_BUSY_SNAPSHOT')
  );
}
