import { execFileSync } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodePng } from '../../../lib/media/png.ts';
import { migrate } from '../../../lib/studio/db/migrate.ts';
import {
  createGeneration,
  getGeneration,
  getThumbnail,
  openStudio,
} from '../../../lib/studio/services/index.ts';
import { AssetStore } from '../../../lib/studio/assets/store.ts';
import { aReceipt, aRequest, migrations, temporaryFolder, testEnv } from '../../support/studio.ts';

/** A file system of 1 MB needs the right to mount one. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();

function tryMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function smallDisk(): Promise<string> {
  const home = await temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', home]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', home]));
  return home;
}

test.runIf(canMount)(
  'a disk that fills up under the database: refused with its code, and on when there is room',
  async () => {
    const home = await smallDisk();
    await migrate(home, migrations);
    const studio = openStudio(await testEnv({ home }));
    onTestFinished(() => studio.close());
    await writeFile(join(home, 'filler'), Buffer.alloc(200_000));
    const answered: string[] = [];
    const create = async () =>
      (await createGeneration(studio, aRequest({ prompt: 'x'.repeat(3000) }))).generation.id;
    const fill = async () => {
      for (;;) answered.push(await create());
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage_full', status: 507 });
    expect(answered.length).toBeGreaterThan(1);
    await expect(create()).rejects.toMatchObject({ code: 'storage_full' });
    await rm(join(home, 'filler'));
    answered.push(await create());
    const stored = await studio.db.read((r) =>
      r.generation.findMany({ select: { id: true }, orderBy: { seq: 'asc' } }),
    );
    expect(stored.map(({ id }) => id)).toEqual(answered);
  },
);

test.runIf(canMount)('without room for a thumbnail the picture itself is shown', async () => {
  const home = await smallDisk();
  await migrate(home, migrations);
  const studio = openStudio(await testEnv({ home }));
  onTestFinished(() => studio.close());
  const file = await encodePng(
    { width: 600, height: 600, data: new Uint8Array(3 * 600 * 600) },
    null,
    'upscale',
  );
  const stored = await studio.assets.put(file, 'image/png');
  await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('a worker');
  await studio.jobs.finish(job!.token, [{ ...stored, width: 600, height: 600, seed: 1 }], aReceipt());
  const id = (await getGeneration(studio, job!.id)).assets[0]!.id;
  const filler = join(home, 'filler');
  // To the last block: writing ends with an error, what fitted stays.
  await writeFile(filler, Buffer.alloc(2_000_000)).catch(() => undefined);
  expect(await getThumbnail(studio, id, 256)).toMatchObject({ type: 'image/png', hash: stored.hash });
  await rm(filler);
  expect(await getThumbnail(studio, id, 256)).toMatchObject({ type: 'image/webp' });
});

test.runIf(canMount)(
  'a full disk is a typed error, leaves no half file, and what was stored before stays',
  async () => {
    const home = await smallDisk();
    const store = new AssetStore(home);
    const before = await store.put(Buffer.alloc(300_000, 1), 'image/png');
    await expect(store.put(Buffer.alloc(2_000_000, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage_full',
      status: 507,
      message: 'There is no room for a file of 2000000 bytes on the disk of the data directory.',
    });
    expect(await readdir(join(home, 'assets', 'tmp'))).toEqual([]);
    expect(await store.exists(before.hash, before.type)).toBe(true);
    const after = await store.put(Buffer.alloc(300_000, 3), 'image/png');
    expect(await store.exists(after.hash, after.type)).toBe(true);
  },
);
