import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readdir, readFile } from '../disk.ts';
import { join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { backup, backupFolder } from './backup.ts';
import { Connection } from './connection.ts';
import { SILENT_MS } from '../jobs/states.ts';
import { requireHome } from '../require-home.ts';
import { orStorageFull } from '../storage-full.ts';
import { databaseFile } from './database.ts';

/** A folder of prisma/migrations. */
export interface Migration {
  name: string;
  sql: string;
  /** sha256 of migration.sql, hex: what Prisma's own `migrate` records and compares. */
  checksum: string;
}

const MIGRATION_NAME = /^\d{14}_[a-z0-9_]+$/;

/** Prisma's own table, column by column, so that `prisma migrate status` and `deploy` agree with what is done here. */
const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

/** Migrations of a folder in the order of their names. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && MIGRATION_NAME.test(entry.name))
    .map((e) => e.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(folder, name, 'migration.sql'));
      return {
        name,
        sql: bytes.toString('utf8'),
        checksum: createHash('sha256').update(bytes).digest('hex'),
      };
    }),
  );
}

/**
 * Brings the database of a data directory up to date and returns the names of the migrations it applied; one that was in
 * use is copied to `backups/` first. Each runs in a transaction of its own together with its record: it is applied whole or
 * not at all. Several processes may do this at once; each migration is applied by one of them.
 * @throws EncoreError `invalid_parameter` for a data directory that cannot be written, `internal` when an applied migration
 * was changed afterwards, or when one fails, `conflict` when the database is newer than the program, or when it has to be
 * changed while another version works with it, `storage_full`
 */
export async function migrate(home: string, folder: string): Promise<string[]> {
  const migrations = await readMigrations(folder);
  await requireHome(home);
  const connection = new Connection({ file: databaseFile(home), busyTimeout: 60_000 });
  try {
    // Stays in the file: readers and one writer do not wait for each other.
    await connection.execWhenFree('PRAGMA journal_mode = WAL');
    await connection.execWhenFree(MIGRATIONS_TABLE);
    const before = await recorded(connection);
    const missing = pending(migrations, before);
    if (before.size > 0 && missing[0] !== undefined) {
      await requireAlone(connection, home);
      await keepCopy(home, missing[0].name);
    }
    const applied: string[] = [];
    for (const migration of missing) {
      if (await apply(connection, migrations, migration)) applied.push(migration.name);
    }
    return applied;
  } catch (error) {
    throw orStorageFull(error, 'the database');
  } finally {
    connection.close();
  }
}

/**
 * A worker that is alive is of a version that does not know what would be changed under it. One that was killed fell silent.
 * @throws EncoreError `conflict`
 */
async function requireAlone(connection: Connection, home: string): Promise<void> {
  const sql = 'SELECT max("heartbeatAt") FROM "Worker" WHERE "stoppedAt" IS NULL AND "heartbeatAt" < ?';
  const newest = async (): Promise<number> => {
    // None from the future: the clock of the machine may have been put back.
    const { rows } = await connection.execute({ sql, args: [Date.now() + SILENT_MS] });
    return Number(rows[0]?.[0] ?? 0);
  };
  const first = await newest();
  while (Date.now() - first < SILENT_MS) {
    if ((await newest()) > first) {
      throw new EncoreError('conflict', `Another version of Encore is running on ${home}.`, {
        remedy: 'Stop it first: this one has to bring the database up to date.',
      });
    }
    await sleep(100);
  }
}

/** What a person has is copied before it is changed. */
async function keepCopy(home: string, name: string): Promise<void> {
  await backup(home, backupFolder(home, `-before-${name}`), false).catch((error: unknown) => {
    // Another process that updates it has just done so.
    if (!(error instanceof EncoreError) || error.code !== 'conflict') throw error;
  });
}

async function apply(connection: Connection, all: Migration[], migration: Migration): Promise<boolean> {
  // Rebuilding a table drops it first; SQLite allows switching the checks only outside a transaction.
  await connection.execute('PRAGMA foreign_keys = OFF');
  await connection.begin();
  try {
    // Asked again under the lock: another process may have been first.
    if (!pending(all, await recorded(connection)).includes(migration)) {
      connection.rollback();
      return false;
    }
  } catch (error) {
    connection.rollback();
    throw error;
  }
  const now = Date.now();
  try {
    // One script to its COMMIT: when any statement fails, the connection rolls the whole of it back.
    await connection.executeMultiple(`${migration.sql};
INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count")
VALUES ('${randomUUID()}', '${migration.checksum}', ${now}, '${migration.name}', ${now}, 1);
COMMIT`);
  } catch (error) {
    throw new EncoreError('internal', `Migration ${migration.name} failed: ${(error as Error).message}`, {
      remedy: 'Nothing of it was applied. Report this with the message above.',
      cause: error,
    });
  } finally {
    await connection.execute('PRAGMA foreign_keys = ON');
  }
  return true;
}

/** checksum by name of what is applied and not rolled back */
async function recorded(connection: Connection): Promise<Map<string, string>> {
  const { rows } = await connection.execute(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Map(rows.map((row) => [row[0] as string, row[1] as string]));
}

/** The migrations that are still to do. */
function pending(migrations: Migration[], applied: Map<string, string>): Migration[] {
  for (const { name, checksum } of migrations) {
    const before = applied.get(name);
    if (before !== undefined && before !== checksum) {
      throw new EncoreError(
        'internal',
        `Migration ${name} was changed after it was applied: ${before} is now ${checksum}.`,
        {
          remedy: `Restore prisma/migrations/${name}/migration.sql and put the change into a new migration.`,
        },
      );
    }
  }
  const newer = [...applied.keys()].find((name) => migrations.every((known) => known.name !== name));
  if (newer !== undefined) {
    throw new EncoreError('conflict', `The database was used by a newer version of Encore (${newer}).`, {
      remedy: 'Update Encore, or go back to a backup: npm run restore -- FOLDER.',
    });
  }
  return migrations.filter(({ name }) => !applied.has(name));
}
