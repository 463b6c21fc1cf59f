import { mkdirSync } from '../disk.ts';
import { dirname, resolve } from '../disk.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import Sqlite from 'libsql';

type Client = ReturnType<PrismaLibSql['createClient']>;
type Transaction = Awaited<ReturnType<Client['transaction']>>;
type ResultSet = Awaited<ReturnType<Transaction['execute']>>;
type Statement = Parameters<Transaction['execute']>[0];

export interface ConnectionOptions {
  /** Path of the database file; its folder is made when missing. */
  file: string;
  /** Refuses every write on this connection. Default false. */
  readOnly?: boolean;
  /** How long the start of a write waits for another process, in ms. */
  busyTimeout?: number;
}

/** Waiting inside SQLite blocks the whole process, so that is kept short and the long wait happens between tries. */
const BLOCKING_WAIT_MS = 20;
const RETRY_PAUSE_MS = 20;

/**
 * Prisma's libsql adapter on one connection that stays open.
 *
 * The client it comes with opens a new connection after every transaction: PRAGMAs are lost and file handles pile up
 * until they are collected. The adapter lets nothing run beside a transaction, so one connection is enough. It asks for
 * DEFERRED transactions, which fail at once when a reader becomes a writer too late; these are IMMEDIATE and wait for
 * another process without blocking this one.
 */
export class SqliteAdapter extends PrismaLibSql {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    super({ url: `file:${options.file}` }, { timestampFormat: 'unixepoch-ms' });
    this.#options = options;
  }

  override createClient(): Connection {
    return new Connection(this.#options);
  }
}

/** One SQLite connection, as Prisma's adapter wants a client to be. */
export class Connection implements Client {
  readonly protocol = 'file';
  readonly #busyTimeout: number;
  readonly #database: Sqlite.Database;
  closed = false;

  constructor({ file, readOnly = false, busyTimeout = 15_000 }: ConnectionOptions) {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    this.#busyTimeout = busyTimeout;
    this.#database = new Sqlite(resolve(file), { timeout: BLOCKING_WAIT_MS });
    // FULL: a commit is on the disk when it returns, so not even a power cut loses an accepted request.
    this.#database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    if (readOnly) this.#database.exec('PRAGMA query_only = ON');
  }

  async execute(statement: Statement): Promise<ResultSet> {
    return execute(this.#database, statement);
  }

  /** Runs a script. When it fails inside a transaction, the transaction is rolled back. */
  async executeMultiple(sql: string): Promise<void> {
    try {
      this.#database.exec(sql);
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Takes the write lock; waits for another process that has it. */
  begin(): Promise<void> {
    return this.execWhenFree('BEGIN IMMEDIATE');
  }

  /**
   * Runs one statement without arguments or rows as soon as no other process is in its way. Never as a prepared
   * statement: one that met a lock stays half done and would stop every later COMMIT.
   */
  async execWhenFree(sql: string): Promise<void> {
    const deadline = Date.now() + this.#busyTimeout;
    for (;;) {
      try {
        this.#database.exec(sql);
        return;
      } catch (error) {
        if (!isBusy(error) || Date.now() >= deadline) throw error;
        await sleep(RETRY_PAUSE_MS);
      }
    }
  }

  commit(): void {
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      // A failed commit (a full disk) leaves the transaction open, and the connection has to go on.
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
  }

  async transaction(): Promise<Transaction> {
    await this.begin();
    return new OpenTransaction(this, this.#database);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#database.close();
  }

  batch(): never {
    throw unused('batch');
  }

  migrate(): never {
    throw unused('migrate');
  }

  sync(): never {
    throw unused('sync');
  }

  reconnect(): never {
    throw unused('reconnect');
  }
}

class OpenTransaction implements Transaction {
  readonly #connection: Connection;
  readonly #database: Sqlite.Database;

  constructor(connection: Connection, database: Sqlite.Database) {
    this.#connection = connection;
    this.#database = database;
  }

  get closed(): boolean {
    return !this.#database.inTransaction;
  }

  async execute(statement: Statement): Promise<ResultSet> {
    return execute(this.#database, statement);
  }

  async commit(): Promise<void> {
    this.#connection.commit();
  }

  async rollback(): Promise<void> {
    this.#connection.rollback();
  }

  close(): void {
    this.#connection.rollback();
  }

  batch(): never {
    throw unused('batch');
  }

  executeMultiple(): never {
    throw unused('executeMultiple');
  }
}

function execute(database: Sqlite.Database, statement: Statement): ResultSet {
  const { sql, args = [] } = typeof statement === 'string' ? { sql: statement } : statement;
  const prepared = database.prepare(sql);
  const values = (args as unknown[]).map((value) => (typeof value === 'boolean' ? Number(value) : value));
  if (!prepared.reader) {
    const { changes } = prepared.run(values);
    return resultSet([], [], [], changes);
  }
  const columns = prepared.columns();
  const rows = prepared.raw(true).all(values) as ResultSet['rows'];
  return resultSet(
    columns.map(({ name }) => name),
    columns.map(({ type }) => type ?? ''),
    rows,
    0,
  );
}

function resultSet(
  columns: string[],
  columnTypes: string[],
  rows: ResultSet['rows'],
  rowsAffected: number,
): ResultSet {
  return {
    columns,
    columnTypes,
    rows,
    rowsAffected,
    lastInsertRowid: undefined,
    toJSON: () => ({ columns, rows }),
  };
}

/** Another connection is in the way. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}

function unused(what: string): TypeError {
  return new TypeError(`${what} is not something that Prisma's adapter does here`);
}
