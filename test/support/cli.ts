import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';

export interface CliOutcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Of the tests of one file; the command line's home is in it. */
export let scratch: string;
let main: (args: readonly string[]) => Promise<number>;

/** A scratch folder for the tests of a file, and the command line ready to be run in this process. */
export function useCommandLine(): void {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'encore-cli-'));
    // Read when the command line's environment is imported.
    process.env.ENCORE_HOME = join(scratch, 'home');
    ({ main } = await import('../../lib/cli/main.ts'));
  });
  afterAll(() => rm(scratch, { recursive: true }));
}

/** Runs the command line in this process: its exit code, and what it wrote meanwhile. */
export async function encore(...args: string[]): Promise<CliOutcome> {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  }
  try {
    const code = await main(args);
    return { code, ...written };
  } finally {
    vi.restoreAllMocks();
  }
}
