import type { Settings } from '../../contracts/studio.ts';
import { readSettings, writeSettings } from '../settings.ts';
import type { Studio } from '../studio.ts';

export function getSettings(studio: Studio): Promise<Settings> {
  return studio.db.read(readSettings);
}

/** Changes those that are given. Takes effect at once, in every process. */
export async function updateSettings(studio: Studio, changes: Partial<Settings>): Promise<Settings> {
  await studio.db.write((tx) => writeSettings(tx, changes, studio.now()));
  return getSettings(studio);
}
