// Forked by scripts/mutate.mjs in the scratch copy, as the head of a process group of its own: runs test files one after the
// other, up to the first that fails, and keeps vitest and what it has transformed between two mutants.
import fs from 'node:fs';
import path from 'node:path';
import { createVitest } from 'vitest/node';

const root = process.argv[2];
/** Where scripts/mutantReached.mjs writes what the last test file reached. */
const reachedFile = path.join(root, 'reached.json');
let failure = null;

const vitest = await createVitest(
  'test',
  {
    root,
    config: path.join(root, 'vitest.config.ts'),
    watch: false,
    maxWorkers: 1,
    bail: 1,
    setupFiles: [path.join(root, 'scripts/mutantReached.mjs')],
    env: { KAFSCOPE_REACHED: reachedFile },
    reporters: [{ onTestCaseResult: () => process.send({ isTestOver: true }), onTestRunEnd: collect }],
    printConsoleTrace: false,
    onConsoleLog: () => false,
  },
  { cacheDir: path.join(root, '.vite') },
);
await vitest.standalone();

// Of each test: its file, and the ids of its cases, or null for all of them.
process.on('message', async ({ changed, tests }) => {
  for (const file of changed) vitest.invalidateFile(file);
  failure = null;
  const reached = [];
  for (const { file, ids } of tests) {
    fs.rmSync(reachedFile, { force: true });
    const specification = vitest.getRootProject().createSpecification(file, ids ? { testIds: ids } : undefined);
    await vitest.runTestSpecifications([specification]);
    if (failure) break;
    reached.push(JSON.parse(fs.readFileSync(reachedFile, 'utf8')));
  }
  process.send({ failure, reached });
});
process.send({ isReady: true });

/** Remembers the first failed test, or what else went wrong. */
function collect(modules, unhandled) {
  for (const module of modules) {
    const file = path.relative(root, module.moduleId);
    const [test] = module.children.allTests('failed');
    const error = test?.result().errors?.[0] ?? module.errors()[0];
    if (test || module.state() === 'failed') {
      failure = { file, test: test?.fullName ?? null, id: test?.id ?? null, message: firstLine(error?.message) };
      return;
    }
  }
  if (unhandled.length > 0) failure = { file: null, test: null, id: null, message: firstLine(unhandled[0].message) };
}

function firstLine(text) {
  return (text ?? '').split('\n')[0].slice(0, 200);
}
