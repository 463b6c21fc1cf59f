import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Runs a file of bench/ in a process of its own, so that memory and first calls are its alone; returns the JSON that it
 * prints.
 */
export async function inChild<T>(file: string, args: readonly string[]): Promise<T> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], {
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout) as T;
}
