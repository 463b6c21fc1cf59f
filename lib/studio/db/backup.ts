import { randomUUID } from 'node:crypto';
import { constants, copyFile, mkdir, readdir, rename, rm, stat } from '../disk.ts';
import { basename, dirname, join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { orStorageFull } from '../storage-full.ts';
import { Connection, isBusy } from './connection.ts';
import { databaseFile } from './database.ts';

export interface BackupResult {
  /** How the database was copied. */
  method: 'online backup' | 'vacuum into';
  files: number;
  bytes: number;
}

/**
 * Copies the database and all files of a data directory into a new folder, while the studio runs. The copy is the state of
 * one moment: the database is copied in one transaction and first, and a file is on the disk before a row names it. The
 * folder appears under its name when it is complete.
 * @param withFiles false copies the database alone
 * @throws EncoreError `conflict` when the folder exists, `not_found` without a database, `storage_full`
 */
export async function backup(home: string, target: string, withFiles = true): Promise<BackupResult> {
  if (!(await exists(databaseFile(home))))
    throw new EncoreError('not_found', `There is no database in ${home}.`);
  const taken = () => new EncoreError('conflict', `${target} exists already.`);
  if (await exists(target)) throw taken();
  const partial = `${target}.${randomUUID()}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const method = await copyDatabase(home, databaseFile(partial));
    const { size } = await stat(databaseFile(partial));
    const copied = withFiles ? await copyAssets(assetsOf(home), assetsOf(partial)) : { files: 0, bytes: 0 };
    await rename(partial, target).catch((error: unknown) => {
      throw ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error)) ? taken() : error;
    });
    return { method, files: copied.files, bytes: size + copied.bytes };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw orStorageFull(error, `a copy of ${home}`);
  }
}

/** Where copies are kept when nobody says otherwise: `backups/2027-01-31-12-00-00-000` in the data directory. */
export function backupFolder(home: string, suffix = ''): string {
  const stamp = new Date().toISOString().slice(0, 23).replace(/[:.T]/g, '-');
  return join(home, 'backups', `${stamp}${suffix}`);
}

/**
 * Puts a data directory back to what a backup holds. What it held until then is moved to `backups/`, as a backup of its own,
 * so this can be undone in the same way. A backup without files (of an update) puts only the database back.
 * @returns where the former state lies
 * @throws EncoreError `not_found` for what is no backup, `conflict` while the studio runs, `storage_full`
 */
export async function restore(home: string, from: string): Promise<string> {
  if (!(await exists(databaseFile(from))))
    throw new EncoreError(
      'not_found',
      `There is no backup in ${from}: it has no ${basename(databaseFile(from))}.`,
    );
  await requireStopped(home);
  const withFiles = await exists(assetsOf(from));
  const coming = join(home, '.restoring');
  await rm(coming, { recursive: true, force: true });
  await mkdir(coming, { recursive: true });
  try {
    await copyFile(databaseFile(from), databaseFile(coming), constants.COPYFILE_FICLONE);
    if (withFiles) await copyAssets(assetsOf(from), assetsOf(coming));
  } catch (error) {
    await rm(coming, { recursive: true, force: true });
    throw orStorageFull(error, `the content of ${from}`);
  }
  const former = backupFolder(home, '-replaced');
  await mkdir(dirname(former), { recursive: true });
  // Fails where it is there already: what is moved must not cover what was moved before.
  await mkdir(former);
  // A write-ahead log belongs to its database alone: left behind, it would be played into the other one.
  for (const end of ['', '-wal', '-shm'])
    await moveIfThere(`${databaseFile(home)}${end}`, `${databaseFile(former)}${end}`);
  if (withFiles) {
    await moveIfThere(assetsOf(home), assetsOf(former));
    await moveIfThere(assetsOf(coming), assetsOf(home));
  }
  await rename(databaseFile(coming), databaseFile(home));
  await rm(coming, { recursive: true, force: true });
  return former;
}

/** Leaving WAL mode needs the database for oneself; it also brings everything into the one file. */
async function requireStopped(home: string): Promise<void> {
  if (!(await exists(databaseFile(home)))) return;
  try {
    const connection = new Connection({ file: databaseFile(home), busyTimeout: 1_000 });
    try {
      await connection.execWhenFree('PRAGMA journal_mode = DELETE');
    } finally {
      connection.close();
    }
  } catch (error) {
    // A damaged database is what backups are for.
    if (!isBusy(error)) return;
    throw new EncoreError('conflict', `Encore is running on ${home}.`, {
      remedy: 'Stop it first.',
      cause: error,
    });
  }
}

function assetsOf(home: string): string {
  return join(home, 'assets');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function moveIfThere(from: string, to: string): Promise<void> {
  if (await exists(from)) await rename(from, to);
}

async function copyDatabase(home: string, to: string): Promise<BackupResult['method']> {
  if (await onlineBackup(databaseFile(home), to)) return 'online backup';
  const connection = new Connection({ file: databaseFile(home) });
  try {
    await connection.execute({ sql: 'VACUUM INTO ?', args: [to] });
    return 'vacuum into';
  } finally {
    connection.close();
  }
}

/**
 * SQLite's own backup interface, by the optional package `sqlite3`: pages are copied as they are, which is faster and
 * needs no second sorting of a large database. False where the package is not there or has no binary for this machine.
 */
async function onlineBackup(from: string, to: string): Promise<boolean> {
  const sqlite3 = await import('sqlite3').then(
    (module) => module.default,
    () => null,
  );
  if (sqlite3 === null) return false;
  const database = await new Promise<InstanceType<typeof sqlite3.Database>>((resolve, reject) => {
    const opened = new sqlite3.Database(from, sqlite3.OPEN_READONLY, (error) =>
      error ? reject(error) : resolve(opened),
    );
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const job = (database as unknown as { backup(file: string): BackupJob }).backup(to);
      // All pages in one step: the source stays as it is at one moment.
      job.step(-1, (error) => job.finish(() => (error ? reject(error) : resolve())));
    });
  } finally {
    await new Promise<void>((resolve) => database.close(() => resolve()));
  }
  return true;
}

/** The part of node-sqlite3 that its types leave out. */
interface BackupJob {
  step(pages: number, done: (error: Error | null) => void): void;
  finish(done: () => void): void;
}

async function copyAssets(from: string, to: string): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0];
  for (const folder of await readdir(from).catch(() => [])) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    await mkdir(join(to, folder), { recursive: true });
    for (const name of await readdir(join(from, folder))) {
      // Copied without using space where the file system can. One that has gone was deleted a day ago, row and all.
      const copied = await copyFile(
        join(from, folder, name),
        join(to, folder, name),
        constants.COPYFILE_FICLONE,
      ).then(
        () => true,
        (error: unknown) => {
          if (codeOf(error) === 'ENOENT') return false;
          throw error;
        },
      );
      if (!copied) continue;
      files += 1;
      bytes += (await stat(join(to, folder, name))).size;
    }
  }
  return { files, bytes };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
