// Forked by scripts/mutate.mjs in the scratch copy, as the head of a process group of its own: runs test files one after the
// other, up to the first that fails, and keeps vitest and what it has transformed between two orders.
import fs from 'node:fs';
import path from 'node:path';
import { createVitest } from 'vitest/node';

const [root, orderFile, eventsFile] = process.argv.slice(2);
let failure = null;

const vitest = await createVitest(
  'test',
  {
    root,
    config: path.join(root, 'vitest.config.ts'),
    watch: false,
    maxWorkers: 1,
    bail: 1,
    runner: path.join(root, 'scripts/mutantRunner.mjs'),
    env: { KAFSCOPE_MUTANTS: orderFile, KAFSCOPE_MUTANT_EVENTS: eventsFile },
    reporters: [{ onTestRunEnd: collect }],
    printConsoleTrace: false,
    onConsoleLog: () => false,
  },
  { cacheDir: path.join(root, '.vite') },
);
await vitest.standalone();

// Of each test: its file, and the ids of its cases, or null for all of them. The rest of an order is scripts/mutantRunner.mjs's.
process.on('message', async ({ tests, ...order }) => {
  fs.writeFileSync(orderFile, JSON.stringify(order));
  failure = null;
  for (const { file, ids } of tests) {
    const specification = vitest.getRootProject().createSpecification(file, ids ? { testIds: ids } : undefined);
    await vitest.runTestSpecifications([specification]);
    if (failure) break;
  }
  process.send({ failure });
});
process.send({ isReady: true });

/** Remembers the first failed test, or what else went wrong. */
function collect(modules, unhandled) {
  for (const module of modules) {
    const file = path.relative(root, module.moduleId);
    const [test] = module.children.allTests('failed');
    const error = test?.result().errors?.[0] ?? module.errors()[0];
    if (test || module.state() === 'failed') {
      failure = { file, test: test?.fullName ?? null, message: firstLine(error?.message) };
      return;
    }
  }
  if (unhandled.length > 0) failure = { file: null, test: null, message: firstLine(unhandled[0].message) };
}

function firstLine(text) {
  return (text ?? '').split('\n')[0].slice(0, 200);
}
