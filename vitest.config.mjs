import { defineConfig } from 'vitest/config';

// Tests run against dist/ (npm's pretest builds it): a test that starts a worker thread can't load one from src/.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--enable-source-maps'],
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
