import { CommanderError } from 'commander';
import { EncoreError } from '../contracts/errors.ts';
import { environment } from './environment.ts';

/** Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted (128 + SIGINT). */
export function exitCodeOf(error: EncoreError): number {
  if (error.code === 'cancelled') return 130;
  return error.status < 500 ? 2 : 1;
}

/** Anything thrown, as the one error class. What commander says about flags becomes `invalid_request`. */
export function asEncoreError(error: unknown): EncoreError {
  if (error instanceof EncoreError) return error;
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    return new EncoreError('invalid_request', message, { cause: error, remedy: 'See `encore --help`.' });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new EncoreError('internal', message, { cause: error });
}

/** Prints one line to stderr and returns the exit code. */
export function fail(thrown: unknown): number {
  const error = asEncoreError(thrown);
  const sentence = error.message.replace(/\s+/g, ' ').replace(/\.$/, '');
  const remedy = error.remedy === undefined ? '' : ` ${error.remedy}`;
  process.stderr.write(`encore: ${error.code}: ${sentence}.${remedy}\n`);
  if (environment.debug) {
    for (let each: unknown = error; each instanceof Error; each = each.cause)
      process.stderr.write(`${each.stack}\n`);
  }
  return exitCodeOf(error);
}
