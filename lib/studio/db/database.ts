import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { orStorageFull } from '../storage-full.ts';
import { SqliteAdapter } from './connection.ts';
import { Prisma, PrismaClient } from './generated/client.ts';

/** What runs inside {@link Database.write}. */
export type Tx = Prisma.TransactionClient;
/** What runs inside {@link Database.read}. */
export type Reader = Omit<PrismaClient, '$connect' | '$disconnect' | '$transaction' | '$extends' | '$on'>;

/**
 * The studio's database. Reading and writing go through two connections: a reader is never kept waiting by a writer
 * of this or another process, and can't write by mistake.
 */
export interface Database {
  /** One query, or several that need not agree with each other. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /**
   * One transaction, alone in the whole database from its first statement on. Nothing but statements belongs inside:
   * everyone else waits. It is on the disk when this returns.
   * @throws EncoreError `database_unavailable` when another process kept it locked for too long,
   * `storage_full` when the disk has no room; then nothing of it happened
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** How long a write waits for a lock held by another process, in ms. */
  busyTimeout?: number;
}

export const databaseFile = (home: string): string => join(home, 'encore.db');

/** Opens the database of a data directory. Its migrations have been applied before (see migrate.ts). */
export function openDatabase(home: string, { busyTimeout = 15_000 }: DatabaseOptions = {}): Database {
  const file = databaseFile(home);
  const writer = new PrismaClient({
    adapter: new SqliteAdapter({ file, busyTimeout }),
    // Time in the line of this process, and time until everything inside has run; both well above any lock seen.
    transactionOptions: { maxWait: busyTimeout + 15_000, timeout: busyTimeout + 15_000 },
  });
  const reader = new PrismaClient({ adapter: new SqliteAdapter({ file, busyTimeout, readOnly: true }) });
  return {
    read: (work) => work(reader).catch(rethrow),
    write: (work) => writer.$transaction(work).catch(rethrow),
    close: async () => {
      await Promise.all([writer.$disconnect(), reader.$disconnect()]);
    },
  };
}

const TIMED_OUT = new Set(['P1008', 'P2024', 'P2028', 'P2034']);

function rethrow(error: unknown): never {
  if (error instanceof Prisma.PrismaClientKnownRequestError && TIMED_OUT.has(error.code)) {
    throw new EncoreError(
      'database_unavailable',
      'The database was locked by another program for too long.',
      {
        remedy: 'Close the program that holds the database open and try again.',
        retryable: true,
        cause: error,
      },
    );
  }
  throw orStorageFull(error, 'a change of the database');
}
