import { EncoreError } from '../contracts/errors.ts';
import { databaseFile } from './db/database.ts';
import { access, constants, dirname, mkdir } from './disk.ts';
import { orStorageFull } from './storage-full.ts';

const reasons: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a part of that path is a file',
};

/**
 * Makes a data directory where it is missing, and sees to it that it can be written.
 * @throws EncoreError `invalid_parameter` with the reason, `storage_full`
 */
export async function requireHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true }).catch(async (error: unknown) => {
      // What it says of a read-only file system is only that something is missing.
      await access(await existing(home), constants.W_OK);
      throw error;
    });
    await access(home, constants.W_OK);
    await access(await existing(databaseFile(home)), constants.W_OK);
  } catch (cause) {
    const full = orStorageFull(cause, 'the data directory');
    if (full !== cause) throw full;
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new EncoreError(
      'invalid_parameter',
      `The data directory ${home} cannot be written: ${reasons[code] ?? message}.`,
      { remedy: 'Set ENCORE_HOME to a folder of your own, or mend this one.', cause },
    );
  }
}

/** The path itself, or what there is of it. */
async function existing(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await access(at).then(
      () => true,
      (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
    );
    if (there || at === dirname(at)) return at;
  }
}
