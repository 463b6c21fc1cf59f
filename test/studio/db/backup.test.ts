import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { backup, restore } from '../../../lib/studio/db/backup.ts';
import {
  createGeneration,
  getAssetFile,
  listGenerations,
  openStudio,
} from '../../../lib/studio/services/index.ts';
import { generationQuerySchema } from '../../../lib/contracts/api.ts';
import { repository, tsxUrl } from '../../support/process.ts';
import { aReceipt, aRequest, temporaryFolder, testStudio } from '../../support/studio.ts';

test('a backup taken while requests come in is one moment of the studio, and can be opened as one', async () => {
  const studio = await testStudio();
  const stored = await studio.assets.put(Buffer.from('a picture'), 'image/png');
  await createGeneration(studio, aRequest({ prompt: 'drawn' }));
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [{ ...stored, width: 1, height: 1, seed: 1 }], aReceipt());

  let stop = false;
  const busy = (async () => {
    while (!stop) await createGeneration(studio, aRequest({ prompt: 'meanwhile' }));
  })();
  const target = join(await temporaryFolder(), 'copy');
  const result = await backup(studio.env.home, target);
  stop = true;
  await busy;
  expect(result).toMatchObject({ files: 1 });

  const copy = openStudio({ ...studio.env, home: target });
  onTestFinished(() => copy.close());
  const check = await copy.db.read((r) =>
    r.$queryRawUnsafe<{ integrity_check: string }[]>('PRAGMA integrity_check'),
  );
  expect(check).toEqual([{ integrity_check: 'ok' }]);
  const { items } = await listGenerations(copy, generationQuerySchema.parse({ q: 'drawn' }));
  expect(items).toMatchObject([{ status: 'succeeded' }]);
  const file = await getAssetFile(copy, items[0]?.assets[0]?.id ?? '');
  expect(file.path.startsWith(target)).toBe(true);
  expect(await readFile(file.path, 'utf8')).toBe('a picture');
  const rows = await copy.db.read((r) => r.generation.count());
  const events = await copy.db.read((r) => r.event.count({ where: { type: 'status' } }));
  // Each request came with its event, and one was also claimed and finished.
  expect(events).toBe(rows + 2);
});

test('never writes over a backup, and refuses without a database', async () => {
  const studio = await testStudio();
  const folder = await temporaryFolder();
  await expect(backup(studio.env.home, folder)).rejects.toMatchObject({ code: 'conflict' });
  await expect(backup(folder, join(folder, 'copy'))).rejects.toMatchObject({ code: 'not_found' });
});

/** libsql lets go of a closed file when its last statement is collected; a process that has ended is done with it at once. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('a studio is put back to a backup, and forward again to what it was until then', async () => {
  const studio = await testStudio();
  const { home } = studio.env;
  const draw = async (prompt: string) => {
    const stored = await studio.assets.put(Buffer.from(prompt), 'image/png');
    await createGeneration(studio, aRequest({ prompt }));
    const job = await studio.jobs.claim('worker');
    await studio.jobs.finish(job?.token ?? '', [{ ...stored, width: 1, height: 1, seed: 1 }], aReceipt());
  };
  const content = async () => {
    const open = openStudio(studio.env);
    const { items } = await listGenerations(open, generationQuerySchema.parse({}));
    const files = items.map(async ({ assets }) =>
      readFile((await getAssetFile(open, assets[0]?.id ?? '')).path, 'utf8'),
    );
    const drawn = await Promise.all(files);
    await open.close();
    collectGarbage();
    return drawn;
  };
  await draw('first');
  const target = join(await temporaryFolder(), 'copy');
  await backup(home, target);
  await draw('second');
  await expect(restore(home, target)).rejects.toMatchObject({ code: 'conflict' });
  await studio.close();
  collectGarbage();

  const former = await restore(home, target);
  expect(await content()).toEqual(['first']);
  await restore(home, former);
  expect(await content()).toEqual(['second', 'first']);
  await expect(restore(home, join(target, 'assets'))).rejects.toMatchObject({ code: 'not_found' });
});

test('a damaged database is no reason not to go back', async () => {
  const studio = await testStudio();
  const { home } = studio.env;
  await createGeneration(studio, aRequest({ prompt: 'kept' }));
  const target = join(await temporaryFolder(), 'copy');
  await backup(home, target);
  await studio.close();
  collectGarbage();
  await writeFile(join(home, 'encore.db'), 'not a database');
  await restore(home, target);
  const open = openStudio(studio.env);
  onTestFinished(() => open.close());
  expect((await listGenerations(open, generationQuerySchema.parse({}))).items).toHaveLength(1);
});

test('npm run backup says where it is', async () => {
  const studio = await testStudio();
  const run = promisify(execFile);
  const env = { ...process.env, ENCORE_HOME: studio.env.home };
  const { stdout } = await run(process.execPath, ['--import', tsxUrl, 'scripts/backup.ts'], {
    cwd: repository,
    env,
  });
  expect(stdout).toContain(join(studio.env.home, 'backups'));
});
