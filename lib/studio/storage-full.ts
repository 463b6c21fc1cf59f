import { EncoreError } from '../contracts/errors.ts';

/** `storage_full` where an error of the file system or of SQLite says that the disk is full; any other as it is. */
export function orStorageFull(error: unknown, what: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isFull =
    ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code) ||
    (error instanceof Error && /ENOSPC|EDQUOT|database or disk is full/.test(error.message));
  if (!isFull) return error;
  return new EncoreError('storage_full', `There is no room for ${what} on the disk of the data directory.`, {
    remedy: 'Free some space on that disk, then try again.',
    retryable: true,
    cause: error,
  });
}
