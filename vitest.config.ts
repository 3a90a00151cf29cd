import { defineConfig } from 'vitest/config';

// Two projects: `unit` is everything fast enough for `npm test`; `slow` needs the whole lab and
// runs in .ci/run (or `npm run test:slow`). Both build the core and the contracts first.
const shared = {
  globalSetup: ['test/globalSetup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', '**/node_modules/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'slow',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
