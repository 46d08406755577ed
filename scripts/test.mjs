// `npm test`: installs, builds and runs everything that CI runs, and says at its end what ran, how long, and what failed.
//   --only STAGE[,STAGE]  some stages of: build tensorflow torch types lint format unused unit package panels vscode
import fs from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import {
  checkMachine,
  findChromium,
  hasTensorflow,
  hasTorch,
  installBindfs,
  installCodeServer,
  installPackages,
  installSlurm,
  installTensorflow,
  installTorch,
  root,
  run,
  SetupError,
} from './install.mjs';

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]?.split(',') : undefined;
const results = path.join(root, 'test-results');
/** Of tensors: each must have run the contract suite. */
const runtimes = ['cpu', 'wasm', ...(hasTorch ? ['torch'] : []), ...(hasTensorflow ? ['tensorflow'] : [])];
/** Of tests: whoever asks for these, gets the libraries that they load. */
const libraries = ['tensorflow', 'torch'];
const runtimesFile = path.join(results, 'runtimes.txt');

/** Stages that the ones after them stand on end the run when they fail. Stages of one list run at once, each on a core. */
const stages = [
  { name: 'install', isNeeded: true, work: install },
  { name: 'build', isNeeded: true, work: () => node('scripts/build.mjs') },
  { name: 'tensorflow', work: () => (hasTensorflow ? installTensorflow() : Promise.resolve()) },
  { name: 'torch', work: () => (hasTorch ? installTorch() : Promise.resolve()) },
  [
    { name: 'types', work: () => node('scripts/checkTypes.mjs') },
    { name: 'lint', work: () => node('node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.') },
  ],
  [
    { name: 'format', work: () => node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.') },
    { name: 'unused', work: () => node('node_modules/knip/bin/knip.js', '--no-progress') },
  ],
  { name: 'unit', work: runUnitTests, counts: () => vitestCounts('unit.json') },
  { name: 'package', isNeeded: true, work: () => node('scripts/package.mjs') },
  { name: 'panels', work: checkPanels, counts: panelCounts },
  { name: 'vscode', work: runVscodeTests, counts: () => vitestCounts('vscode.json') },
];

const report = [];
try {
  checkMachine();
  fs.rmSync(results, { recursive: true, force: true });
  fs.mkdirSync(results, { recursive: true });
  for (const together of stages) {
    const ended = await Promise.all([together].flat().filter(isWanted).map(runStage));
    report.push(...ended);
    if (ended.some(({ isPassed, isNeeded }) => isNeeded && !isPassed)) break;
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  report.push({ name: 'machine', seconds: 0, isPassed: false });
}
conclude();

function isWanted({ name }) {
  const isForTests = libraries.includes(name) && only?.includes('unit');
  return !only || only.includes(name) || name === 'install' || isForTests;
}

async function runStage({ name, work, counts, isNeeded }) {
  console.log(`\n── ${name} ${'─'.repeat(60 - name.length)}`);
  const started = performance.now();
  const failure = await work().then(
    () => undefined,
    (error) => error,
  );
  if (failure) console.error(failure instanceof SetupError ? failure.message : failure);
  return { name, isNeeded, seconds: (performance.now() - started) / 1000, isPassed: !failure, counts: counts?.() };
}

async function install() {
  await installPackages();
  if (!only || only.includes('unit')) {
    await installBindfs();
    await installSlurm();
  }
  if (!only || only.includes('panels') || only.includes('vscode')) await findChromium();
  if (!only || only.includes('vscode')) {
    await installCodeServer();
  }
}

async function runUnitTests() {
  process.env.KAFSCOPE_RUNTIMES_FILE = runtimesFile;
  await node(
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}/unit.json`,
  );
}

/** Every panel in every theme and width, with made-up data; the pictures are kept. */
async function checkPanels() {
  process.env.KAFSCOPE_CHROMIUM = await findChromium();
  await node('test/webview/gallery.mjs', path.join(results, 'panels'), '--check');
}

async function runVscodeTests() {
  process.env.KAFSCOPE_CHROMIUM = await findChromium();
  process.env.KAFSCOPE_SCREENSHOTS = path.join(results, 'screenshots');
  await node(
    'node_modules/vitest/vitest.mjs',
    ...['run', '--config', 'test/vscode/vitest.config.ts', '--reporter=verbose', '--reporter=json'],
    `--outputFile.json=${results}/vscode.json`,
  );
}

function node(...args) {
  return run(process.execPath, ['scripts/node24.mjs', ...args], { cwd: root });
}

function vitestCounts(file) {
  const written = path.join(results, file);
  if (!fs.existsSync(written)) return { passed: 0, failed: 1, failures: [] };
  const { numPassedTests, numFailedTests, numFailedTestSuites, success, testResults } = JSON.parse(
    fs.readFileSync(written, 'utf8'),
  );
  const failed = Math.max(numFailedTests, success ? 0 : Math.min(1, numFailedTestSuites));
  return { passed: numPassedTests, failed, failures: testResults.flatMap(failuresOf) };
}

/** A picture, or a check of what a panel answers, is one. */
function panelCounts() {
  const written = path.join(results, 'panels/looked.json');
  if (!fs.existsSync(written)) return { passed: 0, failed: 1, failures: [] };
  const { passed, failures } = JSON.parse(fs.readFileSync(written, 'utf8'));
  return {
    passed,
    failed: failures.length,
    failures: failures.map(({ name, told }) => `${name}\n${firstLines(told[0])}`),
  };
}

/** What failed in a test file, with the first lines of why: the end of a log is what is read first, and often all that is kept. */
function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const file = path.relative(root, name);
  if (failed.length === 0 && status === 'failed') return [`${file}\n${firstLines(message)}`];
  return failed.map((test) => `${file}: ${test.fullName}\n${firstLines(test.failureMessages.join('\n'))}`);
}

function firstLines(text, count = 6) {
  return stripVTControlCharacters(text)
    .split('\n')
    .slice(0, count)
    .map((line) => `          ${line.slice(0, 200)}`)
    .join('\n');
}

/** One line a stage, then the counts of tests and checks; a stage that failed without a failed test counts as one. */
function conclude() {
  console.log(`\n── what ran ${'─'.repeat(52)}`);
  let passed = 0;
  let failed = 0;
  for (const { name, seconds, isPassed, counts } of report) {
    const tests = counts ? `  ${counts.passed} passed, ${counts.failed} failed` : '';
    console.log(`${isPassed ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s${tests}`);
    for (const failure of counts?.failures ?? []) console.log(`        ${failure}`);
    passed += counts ? counts.passed : Number(isPassed);
    failed += counts ? Math.max(counts.failed, Number(!isPassed)) : Number(!isPassed);
  }
  if (report.some(({ name }) => name === 'unit')) failed += concludeRuntimes();
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** Names the runtimes that the op contracts ran on. @returns how many did not */
function concludeRuntimes() {
  const written = fs.existsSync(runtimesFile) ? fs.readFileSync(runtimesFile, 'utf8') : '';
  const ran = new Map(written.split('\n').map((line) => line.split('\t')));
  for (const runtime of runtimes) {
    const device = ran.get(runtime);
    console.log(`${device ? 'ok    ' : 'FAILED'}  runtime ${runtime}: ${device ?? 'did not run'}`);
  }
  return runtimes.filter((runtime) => !ran.has(runtime)).length;
}
