#!/usr/bin/env node
// The `kafscope` command: runs the built command line on a Node that Kafscope supports, whichever Node started this.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from './node24.mjs';

const cli = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'dist', 'cli.cjs');

/** As in server/terminal/interrupt.ts. */
const onePressMs = 1000;

// Here, too, Node would open its debugger.
process.on('SIGUSR1', () => {});

if (fs.existsSync(cli)) await run();
else {
  process.stderr.write(
    'kafscope: it is not built yet. Run "npm ci" and "npm run build" in its folder, then try again.\n',
  );
  process.exitCode = 1;
}

async function run() {
  let child;
  try {
    child = await startNode(['--disable-warning=ExperimentalWarning', cli, ...process.argv.slice(2)]);
  } catch (error) {
    process.stderr.write(`kafscope: ${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  // A terminal's Ctrl+C reaches the child as well; it takes two signals at once for one. A child deep in a long step hears
  // nothing, so a later second signal ends it from here.
  let firstMs = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => {
      const isLater = firstMs !== null && performance.now() - firstMs > onePressMs;
      firstMs ??= performance.now();
      child.kill(isLater ? 'SIGKILL' : signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (firstMs !== null ? 130 : 1);
  });
}
