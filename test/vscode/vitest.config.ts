import { defineConfig } from 'vitest/config';

// One workbench after the other: they share the machine's cores.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/vscode/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    // Guards against hanging alone, as in the unit tests.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
  },
});
