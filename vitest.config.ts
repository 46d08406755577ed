import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Where scripts/install.mjs puts it. */
const tensorflow = path.join(import.meta.dirname, 'node_modules/.cache/kafscope/tensorflow');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/vscode/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { KAFSCOPE_TENSORFLOW: process.env['KAFSCOPE_TENSORFLOW'] ?? tensorflow },
  },
  define: { __KAFSCOPE_VERSION__: JSON.stringify('0.0.0-test') },
});
