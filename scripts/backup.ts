/** `npm run backup [-- FOLDER]`: copies everything that Encore remembers, while it runs. */
import { join, resolve } from 'node:path';
import { backup } from '../lib/studio/db/backup.ts';
import { readEnv } from '../lib/studio/env.ts';

try {
  const { home } = readEnv();
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
  const target = resolve(process.argv[2] ?? join(home, 'backups', stamp));
  const { files, bytes, method } = await backup(home, target);
  const megabytes = (bytes / 1e6).toFixed(1);
  process.stdout.write(`${target}: the database (by ${method}) and ${files} files, ${megabytes} MB.\n`);
  process.stdout.write('To go back to it, stop Encore and put its content in place of the data directory.\n');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
