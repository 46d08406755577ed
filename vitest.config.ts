import os from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Where scripts/install.mjs puts libraries. */
const cache = path.join(import.meta.dirname, 'node_modules/.cache/kafscope');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/vscode/**'],
    pool: 'forks',
    // Many tests wait for processes that they began: on two cores two workers leave half of the time unused.
    maxWorkers: Math.max(3, Math.min(4, Math.floor(os.availableParallelism() / 2))),
    // Guards against hanging alone, for all tests: what they bound is steps and events, so that they hold on any machine.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    env: {
      KAFSCOPE_TENSORFLOW: process.env['KAFSCOPE_TENSORFLOW'] ?? path.join(cache, 'tensorflow'),
      KAFSCOPE_TORCH: process.env['KAFSCOPE_TORCH'] ?? path.join(cache, 'torch'),
    },
  },
  define: { __KAFSCOPE_VERSION__: JSON.stringify('0.0.0-test') },
});
