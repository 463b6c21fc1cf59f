import { Command, CommanderError } from 'commander';
import { EncoreError } from '../contracts/errors.ts';
import { devicesCommand } from './devices.ts';
import { fail } from './fail.ts';
import { forwardCommand } from './forward.ts';
import { generateCommand } from './generate.ts';
import { inspectCommand } from './inspect.ts';

/** Commands by what they do; each file makes one, and its action throws what goes wrong. */
const commands = [generateCommand, forwardCommand, inspectCommand, devicesCommand];

/** The reader of a pipe may have seen enough: `encore inspect model | head -1`. */
function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** Runs the command line and returns the exit code; see fail.ts. */
export async function main(args: readonly string[]): Promise<number> {
  // Again and again in one process (the tests do so), it is still one listener.
  process.stdout.off('error', onStdoutError).on('error', onStdoutError);
  const program = new Command('encore').description(
    'Pictures from a sentence, through one denoising loop with encoder propagation.',
  );
  for (const make of commands) program.addCommand(make());
  for (const each of [program, ...program.commands]) {
    each
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .allowExcessArguments(false);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Help, asked for or shown because no command was named, ends in an error of commander.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      return fail(
        new EncoreError('invalid_request', 'no command was given', { remedy: 'See `encore --help`.' }),
      );
    }
    return fail(error);
  }
}
