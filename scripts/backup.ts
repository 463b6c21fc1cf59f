/** `npm run backup [-- FOLDER]`: copies everything that Encore remembers, while it runs. */
import { resolve } from 'node:path';
import { backup, backupFolder } from '../lib/studio/db/backup.ts';
import { endWith } from '../lib/studio/end-with.ts';
import { readEnv } from '../lib/studio/env.ts';

try {
  const { home } = readEnv();
  const target = resolve(process.argv[2] ?? backupFolder(home));
  const { files, bytes, method } = await backup(home, target);
  const megabytes = (bytes / 1e6).toFixed(1);
  process.stdout.write(`${target}: the database (by ${method}) and ${files} files, ${megabytes} MB.\n`);
  process.stdout.write(`To go back to it, stop Encore, then: npm run restore -- ${target}\n`);
} catch (error) {
  endWith(error);
}
