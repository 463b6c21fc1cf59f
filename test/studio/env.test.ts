import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readEnv } from '../../lib/studio/env.ts';
import { temporaryFolder } from '../support/studio.ts';

test('an empty environment is enough, and safe: only this machine, a folder of its own', () => {
  expect(readEnv({})).toMatchObject({
    home: resolve('data'),
    port: 3000,
    host: '127.0.0.1',
    token: undefined,
  });
});

test('an empty variable is one that is not set', () => {
  expect(readEnv({ PORT: '', ENCORE_TOKEN: '', ENCORE_HOME: '' })).toEqual(readEnv({}));
});

test('names every variable that cannot be used', () => {
  const wrong = { PORT: 'eighty', ENCORE_TOKEN: 'short', ENCORE_LOG_LEVEL: 'loud' };
  expect(() => readEnv(wrong)).toThrow(
    expect.objectContaining({
      code: 'invalid_parameter',
      errors: ['PORT', 'ENCORE_TOKEN', 'ENCORE_LOG_LEVEL'].map(
        (path) => expect.objectContaining({ path }) as unknown,
      ),
    }) as Error,
  );
});

test('the hub may be named as its own programs name it', () => {
  const hub = { HF_ENDPOINT: 'https://mirror.example/', HF_TOKEN: 'theirs' };
  expect(readEnv(hub).hub).toMatchObject({ address: 'https://mirror.example', token: 'theirs' });
  expect(readEnv({ ...hub, ENCORE_HUB_TOKEN: 'ours' }).hub).toMatchObject({ token: 'ours' });
});

test('.env is read by every part as Next reads it for the pages; what is set wins over it', async () => {
  const [before, folder] = [process.cwd(), await temporaryFolder()];
  onTestFinished(() => {
    process.chdir(before);
    delete process.env.ENCORE_TOKEN;
    delete process.env.ENCORE_DEVICE;
  });
  await writeFile(join(folder, '.env'), 'ENCORE_TOKEN=of-the-file-and-long\nENCORE_DEVICE=cuda\n');
  process.env.ENCORE_DEVICE = 'cpu';
  process.chdir(folder);
  expect(readEnv()).toMatchObject({ token: 'of-the-file-and-long', device: 'cpu' });
});
