import { defineConfig } from 'vitest/config';

/** Browser tests: one real studio at a time, for they share the machine with an engine that uses all of it. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    pool: 'forks',
  },
});
