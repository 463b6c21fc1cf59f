import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { EncoreError } from '../contracts/errors.ts';
import { fail } from './fail.ts';

/** Each file makes one command, whose action throws what goes wrong. Loaded when named: the engine takes a while. */
const commands = {
  generate: async () => (await import('./generate.ts')).generateCommand(),
  forward: async () => (await import('./forward.ts')).forwardCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  devices: async () => (await import('./devices.ts')).devicesCommand(),
};

/** The reader of a pipe may have seen enough: `encore inspect model | head -1`. */
function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** Runs the command line and returns the exit code; see fail.ts. */
export async function main(args: readonly string[]): Promise<number> {
  // Again and again in one process (the tests do so), it is still one listener.
  process.stdout.off('error', onStdoutError).on('error', onStdoutError);
  const program = new Command('encore')
    .description('Pictures from a sentence, through one denoising loop with encoder propagation.')
    .version(packageJson.version);
  const named = Object.entries(commands).filter(([name]) => name === args[0]);
  for (const [, make] of named.length > 0 ? named : Object.entries(commands))
    program.addCommand(await make());
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
