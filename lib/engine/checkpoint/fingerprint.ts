import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a model is read from; other files may come and go beside it. */
const isRead = (name: string) => !name.startsWith('.') && /\.(safetensors|json|txt)$/.test(name);

/** Folders of a pipeline, and what lies in them. */
const depth = 2;

/**
 * Sizes, times of change and identities of what a model is read from: its one file, or those in its folder (links are
 * followed). A missing file is a change, and so is another one in its place.
 */
export async function fingerprint(path: string, below = depth): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return `${path} ${found?.ino} ${found?.size} ${found?.mtimeMs}`;
  const entries = below === 0 ? [] : await readdir(path, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => isRead(entry.name) || entry.isDirectory()).map(({ name }) => name);
  const marks = names.sort().map((name) => fingerprint(join(path, name), below - 1));
  return [path, ...(await Promise.all(marks))].join('\n');
}
