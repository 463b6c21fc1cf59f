/** `npm run db:migrate`: brings the database of ENCORE_HOME up to date. Run it as often as you like. */
import { fileURLToPath } from 'node:url';
import { migrate } from '../lib/studio/db/migrate.ts';
import { endWith } from '../lib/studio/end-with.ts';
import { readEnv } from '../lib/studio/env.ts';

try {
  const applied = await migrate(readEnv().home, fileURLToPath(new URL('migrations', import.meta.url)));
  process.stdout.write(
    applied.length === 0
      ? 'The database is up to date.\n'
      : `Applied ${applied.join(', ')} to the database.\n`,
  );
} catch (error) {
  endWith(error);
}
