import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AssetStore } from '../../../lib/studio/assets/store.ts';
import { temporaryFolder } from '../../support/studio.ts';

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

test.runIf(canMount)(
  'a full disk is a typed error, leaves no half file, and what was stored before stays',
  async () => {
    const home = await temporaryFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', home]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', home]));
    const store = new AssetStore(home);
    const before = await store.put(Buffer.alloc(300_000, 1), 'image/png');
    await expect(store.put(Buffer.alloc(2_000_000, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage_full',
      status: 507,
      message: 'There was no room for a file of 2000000 bytes in the data directory.',
    });
    expect(await readdir(join(home, 'assets', 'tmp'))).toEqual([]);
    expect(await store.exists(before.hash, before.type)).toBe(true);
    const after = await store.put(Buffer.alloc(300_000, 3), 'image/png');
    expect(await store.exists(after.hash, after.type)).toBe(true);
  },
);
