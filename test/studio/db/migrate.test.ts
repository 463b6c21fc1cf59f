import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { Connection } from '../../../lib/studio/db/connection.ts';
import { databaseFile } from '../../../lib/studio/db/database.ts';
import { migrate, readMigrations } from '../../../lib/studio/db/migrate.ts';
import { SILENT_MS } from '../../../lib/studio/jobs/states.ts';
import { generationQuerySchema } from '../../../lib/contracts/api.ts';
import { generationParamsSchema, generationSchema } from '../../../lib/contracts/generation.ts';
import { listGenerations, openStudio } from '../../../lib/studio/services/index.ts';
import { migrations, temporaryFolder, testEnv } from '../../support/studio.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** First column of a query. */
async function query(home: string, sql: string): Promise<unknown[]> {
  const connection = new Connection({ file: databaseFile(home) });
  onTestFinished(() => connection.close());
  return (await connection.execute(sql)).rows.map((row) => row[0]);
}

async function withExtraMigration(sql: string): Promise<string> {
  const folder = join(await temporaryFolder(), 'migrations');
  await cp(migrations, folder, { recursive: true });
  await mkdir(join(folder, '20991231000000_extra'));
  await writeFile(join(folder, '20991231000000_extra', 'migration.sql'), sql);
  return folder;
}

test('applies every migration once, in order', async () => {
  const home = await temporaryFolder();
  const names = (await readMigrations(migrations)).map(({ name }) => name);
  expect(await migrate(home, migrations)).toEqual(names);
  expect(await migrate(home, migrations)).toEqual([]);
  const rows = await query(home, 'SELECT migration_name FROM _prisma_migrations ORDER BY started_at, rowid');
  expect(rows).toEqual(names);
});

test('a database that is in use is copied before it is changed, a new one is not', async () => {
  const home = await temporaryFolder();
  await migrate(home, migrations);
  expect(await readdir(home)).not.toContain('backups');
  await query(home, `INSERT INTO "Setting" ("key", "value", "updatedAt") VALUES ('mine', '1', 1)`);
  const folder = await withExtraMigration('DELETE FROM "Setting"');
  // Several at once do not stand in each other's way.
  const applied = await Promise.all([1, 2, 3].map(() => migrate(home, folder)));
  expect(applied.flat()).toEqual(['20991231000000_extra']);
  expect(await query(home, 'SELECT count(*) FROM "Setting"')).toEqual([0]);
  // A program that does not know the migration would write what the newer one cannot read.
  await expect(migrate(home, migrations)).rejects.toMatchObject({ code: 'conflict' });
  const copies = await readdir(join(home, 'backups'));
  expect(copies.every((name) => name.endsWith('-before-20991231000000_extra'))).toBe(true);
  expect(await query(join(home, 'backups', copies[0] ?? ''), 'SELECT "key" FROM "Setting"')).toEqual([
    'mine',
  ]);
});

test('a database that another version works with is left as it is; one whose worker was killed is not', async () => {
  const home = await temporaryFolder();
  await migrate(home, migrations);
  const folder = await withExtraMigration('CREATE TABLE "Extra" ("id" INTEGER)');
  await query(home, `INSERT INTO "Worker" ("id", "startedAt", "heartbeatAt") VALUES ('w', 1, ${Date.now()})`);
  const beat = setInterval(
    () => void query(home, `UPDATE "Worker" SET "heartbeatAt" = ${Date.now()}`).catch(() => undefined),
    100,
  );
  onTestFinished(() => clearInterval(beat));
  // The same version may be started as often as one likes.
  expect(await migrate(home, migrations)).toEqual([]);
  await expect(migrate(home, folder)).rejects.toMatchObject({
    code: 'conflict',
    message: `Another version of Encore is running on ${home}.`,
  });
  clearInterval(beat);
  await query(home, `UPDATE "Worker" SET "heartbeatAt" = ${Date.now() - SILENT_MS + 300}`);
  expect(await migrate(home, folder)).toEqual(['20991231000000_extra']);
});

test('a data directory that cannot be used is named with the reason', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const home of [file, join(file, 'data')])
    await expect(migrate(home, migrations)).rejects.toMatchObject({
      code: 'invalid_parameter',
      message: expect.stringMatching(/cannot be written: .* file/) as string,
    });
});

test('a history of the first version is there after all that came since', async () => {
  const home = await temporaryFolder();
  const folder = join(await temporaryFolder(), 'migrations');
  const [first, second, third, ...later] = (await readMigrations(migrations)).map(({ name }) => name);
  for (const name of [first, second, third])
    await cp(join(migrations, name ?? ''), join(folder, name ?? ''), { recursive: true });
  await migrate(home, folder);
  const params = JSON.stringify(aParams());
  await query(
    home,
    `INSERT INTO "Generation" ("id", "task", "status", "model", "prompt", "searchText", "params", "queueOrder", "maxAttempts", "createdAt")
     VALUES ('old', 'text-to-image', 'succeeded', 'toybox', 'a fox', 'a fox', '${params}', 1, 4, 1)`,
  );
  await query(
    home,
    `INSERT INTO "Asset" ("id", "generationId", "index", "hash", "type", "width", "height", "bytes", "seed", "createdAt")
     VALUES ('picture', 'old', 0, '${'0'.repeat(64)}', 'image/png', 64, 64, 9, 4294967295, 1)`,
  );
  expect(await migrate(home, migrations)).toEqual(later);
  const studio = openStudio(await testEnv({ home }));
  onTestFinished(() => studio.close());
  const { items } = await listGenerations(studio, generationQuerySchema.parse({ q: 'fox' }));
  expect(items.map((item) => generationSchema.parse(item))).toMatchObject([
    { id: 'old', inputs: [], assets: [{ id: 'picture', seed: 4294967295, posterUrl: null, frames: null }] },
  ]);
});

function aParams() {
  return generationParamsSchema.parse({
    ...{ task: 'text-to-image', prompt: 'a fox', negativePrompt: '', model: 'toybox' },
    ...{ width: 64, height: 64, steps: 5, guidanceScale: 3, seed: 1, count: 1 },
    ...{ scheduler: 'ddim', plan: 'exact', injection: 0 },
  });
}

test('agrees with the Prisma command line: nothing pending, no difference to the schema', async () => {
  const home = await temporaryFolder();
  await migrate(home, migrations);
  const prisma = (...args: string[]) =>
    run(process.execPath, [join(root, 'prisma/command.mjs'), ...args], {
      env: { ...process.env, ENCORE_HOME: home },
    });
  expect((await prisma('migrate', 'status')).stdout).toContain('Database schema is up to date');
  expect((await prisma('migrate', 'deploy')).stdout).toContain('No pending migrations');
  const diff = ['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema.prisma'];
  expect((await prisma(...diff)).stdout).toContain('No difference detected');
});

test('applied by several processes at once, each migration is applied by one of them', async () => {
  const home = await temporaryFolder();
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate(home, migrations)));
  expect(results.flat().sort()).toEqual((await readMigrations(migrations)).map(({ name }) => name));
});

test('a failing migration leaves nothing behind and can be applied when it is mended', async () => {
  const home = await temporaryFolder();
  const folder = await withExtraMigration(
    'CREATE TABLE "Left" ("id" INTEGER); INSERT INTO "Nowhere" VALUES (1);',
  );
  await expect(migrate(home, folder)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('20991231000000_extra failed: ') as string,
  });
  expect(await query(home, `SELECT name FROM sqlite_master WHERE name = 'Left'`)).toEqual([]);
  await writeFile(
    join(folder, '20991231000000_extra', 'migration.sql'),
    'CREATE TABLE "Left" ("id" INTEGER);',
  );
  expect(await migrate(home, folder)).toEqual(['20991231000000_extra']);
});

test('a migration that was changed after it was applied is an error that names it', async () => {
  const home = await temporaryFolder();
  const folder = await withExtraMigration('CREATE TABLE "Extra" ("id" INTEGER);');
  await migrate(home, folder);
  const file = join(folder, '20991231000000_extra', 'migration.sql');
  await writeFile(file, `${await readFile(file, 'utf8')}\n-- changed`);
  await expect(migrate(home, folder)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('20991231000000_extra was changed after it was applied') as string,
  });
});

test('a migration that rebuilds a table keeps the rows that refer to it', async () => {
  const home = await temporaryFolder();
  const folder = await withExtraMigration(
    'CREATE TABLE "P" ("id" INTEGER PRIMARY KEY); CREATE TABLE "C" ("p" INTEGER REFERENCES "P" ("id") ON DELETE CASCADE); INSERT INTO "P" VALUES (1); INSERT INTO "C" VALUES (1);',
  );
  await migrate(home, folder);
  await mkdir(join(folder, '20991231000001_rebuild'));
  await writeFile(
    join(folder, '20991231000001_rebuild', 'migration.sql'),
    'CREATE TABLE "new_P" ("id" INTEGER PRIMARY KEY, "x" TEXT); INSERT INTO "new_P" ("id") SELECT "id" FROM "P"; DROP TABLE "P"; ALTER TABLE "new_P" RENAME TO "P";',
  );
  await migrate(home, folder);
  expect(await query(home, 'SELECT p FROM "C"')).toEqual([1]);
});
