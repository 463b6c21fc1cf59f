import { EncoreError } from '../contracts/errors.ts';

/** Whether an error of the file system or of SQLite says that the disk is full, or the part of it that is ours. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && /\b(ENOSPC|EDQUOT|EFBIG|database or disk is full)\b/.test(error.message);
}

/** `storage_full` for a full disk, any other error as it is. */
export function orStorageFull(error: unknown, what: string): unknown {
  if (!isDiskFull(error)) return error;
  return new EncoreError('storage_full', `There is no room for ${what} on the disk of the data directory.`, {
    remedy: 'Free some space on that disk, then try again.',
    retryable: true,
    cause: error,
  });
}
