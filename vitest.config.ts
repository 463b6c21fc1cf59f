import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'node_modules/**'],
    // For what hangs, not for what is slow: beside other work everything takes ten times as long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Two workers: the engine itself uses every core.
    maxWorkers: 2,
    pool: 'forks',
  },
});
