import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { backup } from '../../../lib/studio/db/backup.ts';
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
