import { createHash } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AssetStore } from '../../../lib/studio/assets/store.ts';
import { temporaryFolder } from '../../support/studio.ts';
import { durable, recordSyncs } from '../../support/syncs.ts';

test('names a file by its content and writes it whole', async () => {
  const home = await temporaryFolder();
  const store = new AssetStore(home);
  const content = Buffer.from('not really a picture');
  const hash = createHash('sha256').update(content).digest('hex');
  const [a, b] = await Promise.all([store.put(content, 'image/png'), store.put(content, 'image/png')]);
  expect(a).toEqual({ hash, type: 'image/png', bytes: content.length });
  expect(b).toEqual(a);
  expect(store.path(hash, 'image/png')).toBe(join(home, 'assets', hash.slice(0, 2), `${hash}.png`));
  expect(await readFile(store.path(hash, 'image/png'))).toEqual(content);
  expect(await readdir(join(home, 'assets', 'tmp'))).toEqual([]);
});

test.each([
  ['../../../etc/passwd', 'image/png'],
  ['..', 'image/png'],
  ['a'.repeat(63), 'image/png'],
  ['A'.repeat(64), 'image/png'],
  [`${'a'.repeat(64)}\0`, 'image/png'],
  ['a'.repeat(64), 'image/png/../../x'],
  ['a'.repeat(64), 'toString'],
  ['a'.repeat(64), 'text/html'],
])('has no path for %j of type %j', (hash, type) => {
  expect(() => new AssetStore('/data').path(hash, type)).toThrow(
    expect.objectContaining({ code: 'not_found' }) as Error,
  );
});

test('is on the disk before it has its name', async () => {
  const store = new AssetStore(await temporaryFolder());
  const content = Buffer.from('not really a picture');
  const hash = createHash('sha256').update(content).digest('hex');
  const syncs = await recordSyncs(store.path(hash, 'image/png'));
  await store.put(content, 'image/png');
  expect(syncs).toEqual(durable(content.length));
});

test('sweeps what a killed writer left, but not what is being written', async () => {
  const home = await temporaryFolder();
  const store = new AssetStore(home);
  await store.put(Buffer.from('x'), 'image/png');
  const [old, fresh] = ['old', 'fresh'].map((name) => join(home, 'assets', 'tmp', name)) as [string, string];
  await Promise.all([writeFile(old, ''), writeFile(fresh, '')]);
  const hoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(old, hoursAgo, hoursAgo);
  expect(await store.sweep(Date.now())).toBe(1);
  expect(await readdir(join(home, 'assets', 'tmp'))).toEqual(['fresh']);
});

test('does not remove a file that was just written', async () => {
  const store = new AssetStore(await temporaryFolder());
  const { hash, type } = await store.put(Buffer.from('x'), 'image/png');
  await store.remove(hash, type, Date.now());
  expect(await store.exists(hash, type)).toBe(true);
  await store.remove(hash, type, Date.now() + 2 * 60 * 60 * 1000);
  expect(await store.exists(hash, type)).toBe(false);
});
