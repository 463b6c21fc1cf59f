import { defineConfig } from 'vitest/config';

/** Browser tests: one real studio at a time, for they share the machine with an engine that uses all of it. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    // A slow machine takes its time; a test that fails may too.
    expect: { poll: { timeout: 30_000, interval: 100 } },
    fileParallelism: false,
    pool: 'forks',
  },
});
