import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { EncoreError } from '../contracts/errors.ts';
import { fail } from './fail.ts';

interface CommandEntry {
  readonly description: string;
  /** The command with its options; its action throws what goes wrong. Loaded when named: the engine takes a while. */
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  generate: {
    description: 'draw pictures or a video from a sentence, or from a picture',
    load: async () => (await import('./generate.ts')).generateCommand(),
  },
  models: {
    description: 'list what is installed, by the names that the other commands take',
    load: async () => (await import('./models.ts')).modelsCommand(),
  },
  inspect: {
    description: 'describe a model, a LoRA, an embedding or any .safetensors file',
    load: async () => (await import('./inspect.ts')).inspectCommand(),
  },
  devices: {
    description: 'list what can run here, and why each of the others cannot',
    load: async () => (await import('./devices.ts')).devicesCommand(),
  },
  forward: {
    description: 'run one network once: tensors in, tensors out, named as in diffusers',
    load: async () => (await import('./forward.ts')).forwardCommand(),
  },
};

/** The reader of a pipe may have seen enough: `encore inspect model | head -1`. */
function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** Runs the command line and returns the exit code; see fail.ts. */
export async function main(given: readonly string[]): Promise<number> {
  // Again and again in one process (the tests do so), it is still one listener.
  process.stdout.off('error', onStdoutError).on('error', onStdoutError);
  const word = given[0] === 'help' ? given[1] : given[0];
  const named = word !== undefined && Object.hasOwn(commands, word) ? word : undefined;
  // commander would show its help for an unknown command that follows `help` or is followed by --help.
  const isUnknown = named === undefined && word !== undefined && !word.startsWith('-');
  try {
    const program = await programWith(named);
    await program.parseAsync(isUnknown ? [word] : given, { from: 'user' });
    return 0;
  } catch (error) {
    // Help, asked for or shown because no command was named, ends in an error of commander.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      return fail(
        new EncoreError('invalid_request', 'no command was given', { remedy: 'See `encore --help`.' }),
      );
    }
    return fail(error, named);
  }
}

/** All commands by name and description; the one that is `named` with its options. */
async function programWith(named: string | undefined): Promise<Command> {
  const program = new Command('encore')
    .description('Pictures from a sentence, through one denoising loop with encoder propagation.')
    .version(packageJson.version)
    .addHelpText('after', '\nExample:\n  encore generate "a fox in a meadow" --out fox.png');
  for (const [name, { description, load }] of Object.entries(commands)) {
    const command = name === named ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  for (const each of [program, ...program.commands]) {
    each
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .allowExcessArguments(false);
  }
  return program;
}
