/** `npm run restore -- FOLDER`: puts the data directory back to what a backup holds. Encore has to be stopped. */
import { resolve } from 'node:path';
import { restore } from '../lib/studio/db/backup.ts';
import { endWith } from '../lib/studio/end-with.ts';
import { readEnv } from '../lib/studio/env.ts';

try {
  const { home } = readEnv();
  const from = process.argv[2];
  if (from === undefined) throw new Error('Name the backup: npm run restore -- FOLDER');
  const former = await restore(home, resolve(from));
  process.stdout.write(`${home} is what it was then. What it was until now lies in ${former}.\n`);
} catch (error) {
  endWith(error);
}
