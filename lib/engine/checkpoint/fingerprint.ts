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
  if (found === undefined) return `${path}${gone}`;
  if (!found.isDirectory()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}`;
  const entries = below === 0 ? [] : await readdir(path, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => isRead(entry.name) || entry.isDirectory()).map(({ name }) => name);
  const marks = names.sort().map((name) => fingerprint(join(path, name), below - 1));
  return [path, ...(await Promise.all(marks))].join('\n');
}

/** No path ends so. */
const gone = '\0';

/** What became of files since their fingerprint was taken. `gone`: some are not there any more, the others are the same. */
export type Fate = 'same' | 'gone' | 'replaced';

export function fateOf(before: string, now: string): Fate {
  if (before === now) return 'same';
  const known = new Set(before.split('\n'));
  return now.split('\n').every((mark) => known.has(mark) || mark.endsWith(gone)) ? 'gone' : 'replaced';
}

/** Of several fates the one that matters most. */
export function worstFate(fates: readonly Fate[]): Fate {
  return (['replaced', 'gone'] as const).find((fate) => fates.includes(fate)) ?? 'same';
}
