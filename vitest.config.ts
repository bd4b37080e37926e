import { defineConfig } from 'vitest/config';

/** Tests that touch a server share one machine with it: two files at a time, each on a database of its own. */
const WORKERS_MAX = 2;

const onServer = (name: string, include: string[]) => ({
  extends: true as const,
  test: { name, include, testTimeout: 60_000, hookTimeout: 60_000 },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: WORKERS_MAX,
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{src,test}/**/*.spec.ts', 'test/docs/**/*.test.ts'] },
      },
      onServer('integration', ['test/integration/**/*.test.ts', 'test/migrations/**/*.test.ts']),
      onServer('e2e', ['test/e2e/**/*.test.ts']),
      onServer('faults', ['test/faults/**/*.test.ts']),
    ],
  },
});
