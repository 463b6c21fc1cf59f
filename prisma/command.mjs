/**
 * Runs the Prisma command line with the schema engine from npm, the same on every platform and without a download:
 *
 *     node prisma/command.mjs generate
 *     node prisma/command.mjs migrate status
 *
 * The SQL of a new migration, against a scratch database (ENCORE_HOME=scratch npm run db:migrate):
 *
 *     ENCORE_HOME=scratch node prisma/command.mjs migrate diff --from-config-datasource \
 *       --to-schema prisma/schema.prisma --script > prisma/migrations/20270131120000_what_it_adds/migration.sql
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = process.env.ENCORE_HOME ?? `${root}data`;
const args = process.argv.slice(2);

// `generate` only asks that the binary exists; the engine itself runs for `migrate`, where a script can be executed.
const engine =
  args[0] === 'generate' ? process.execPath : fileURLToPath(new URL('schema-engine.mjs', import.meta.url));
if (args[0] !== 'generate') mkdirSync(home, { recursive: true });

const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js');
const { status, error } = spawnSync(process.execPath, [prisma, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ENCORE_HOME: home,
    PRISMA_SCHEMA_ENGINE_BINARY: engine,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  },
});
if (error) throw error;
process.exit(status ?? 1);
