import { vi } from 'vitest';

export interface CliOutcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command line in this process: its exit code, and what it wrote meanwhile. */
export async function recordCli(
  main: (args: readonly string[]) => Promise<number>,
  args: readonly string[],
): Promise<CliOutcome> {
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
