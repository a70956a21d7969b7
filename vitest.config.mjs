import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tests run against dist/ (npm's pretest builds it): a test that starts a worker thread can't load one from src/.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--enable-source-maps'],
    server: { deps: { external: [/\/dist\//] } },
    // Most of them wait for servers, resolvers and clients rather than for a processor.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // The machine of a CI may be ten times slower for a moment; what fails three times in a row is broken.
    retry: process.env.CI ? 2 : 0,
    // They tell what hangs from what is slow, nothing else: on a machine with ten times as much to do as it has cores all of it must pass.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
