import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import { Connection } from './connection.ts';
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
 * @throws EncoreError `conflict` when the folder exists, `not_found` without a database
 */
export async function backup(home: string, target: string): Promise<BackupResult> {
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (!(await exists(databaseFile(home))))
    throw new EncoreError('not_found', `There is no database in ${home}.`);
  if (await exists(target)) throw new EncoreError('conflict', `${target} exists already.`);
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const method = await copyDatabase(home, databaseFile(partial));
  const { size } = await stat(databaseFile(partial));
  const copied = await copyAssets(join(home, 'assets'), join(partial, 'assets'));
  await mkdir(dirname(target), { recursive: true });
  await rename(partial, target);
  return { method, files: copied.files, bytes: size + copied.bytes };
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
      // Copied without using space where the file system can.
      await copyFile(join(from, folder, name), join(to, folder, name), constants.COPYFILE_FICLONE);
      files += 1;
      bytes += (await stat(join(to, folder, name))).size;
    }
  }
  return { files, bytes };
}
