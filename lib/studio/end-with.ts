import { EncoreError } from '../contracts/errors.ts';

/** How a program ends that cannot go on: what went wrong and what helps, on stderr, without a stack trace. */
export function endWith(error: unknown): void {
  const { message, remedy } = EncoreError.from(error);
  process.stderr.write(`${[message, remedy].filter(Boolean).join('\n')}\n`);
  process.exitCode = 1;
}
