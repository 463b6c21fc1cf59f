import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readEnv } from '../../lib/studio/env.ts';

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
