import { CommanderError } from 'commander';
import { EncoreError, type ErrorCode } from '../contracts/errors.ts';
import { environment } from './environment.ts';

/** Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted (128 + SIGINT). */
function exitCodeOf(error: EncoreError): number {
  if (error.code === 'cancelled') return 130;
  return error.status < 500 ? 2 : 1;
}

/** What the file system says of a path that was named, and of a disk; anything else from there is our failure. */
const fileFaults: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'invalid_parameter',
  EISDIR: 'invalid_parameter',
  ENOENT: 'invalid_parameter',
  ENOTDIR: 'invalid_parameter',
  EPERM: 'invalid_parameter',
  EROFS: 'invalid_parameter',
  EDQUOT: 'storage_full',
  ENOSPC: 'storage_full',
};

/** Anything thrown, as the one error class. What commander says about flags becomes `invalid_request`. */
function asEncoreError(error: unknown, command: string | undefined): EncoreError {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    const help = ['encore', command, '--help'].filter(Boolean).join(' ');
    return new EncoreError('invalid_request', message, { cause: error, remedy: `See \`${help}\`.` });
  }
  const code = error instanceof Error && 'code' in error ? fileFaults[String(error.code)] : undefined;
  if (code !== undefined) return new EncoreError(code, (error as Error).message, { cause: error });
  return EncoreError.from(error);
}

/** Prints one line to stderr and returns the exit code. `command` is the one that was asked for. */
export function fail(thrown: unknown, command?: string): number {
  const error = asEncoreError(thrown, command);
  const sentence = error.message.replace(/\s+/g, ' ').replace(/\.$/, '');
  const remedy = error.remedy === undefined ? '' : ` ${error.remedy}`;
  process.stderr.write(`encore: ${error.code}: ${sentence}.${remedy}\n`);
  if (environment.debug) {
    for (let each: unknown = error; each instanceof Error; each = each.cause)
      process.stderr.write(`${each.stack}\n`);
  }
  return exitCodeOf(error);
}
