// `npm run mutate -- server/attack`: breaks the sources in small ways, one at a time, and says which breaks no test notices.
// All of it happens in a scratch copy of the tree; child processes that tests start from dist/ run unbroken code.
//   PATH…              files or folders of sources
// All mutants of a source stand in one text (scripts/mutantSchema.mjs), so that a case, in one process, runs under each that it
// reaches, the quick cases first. What is reached before the cases, or hidden by what a case left, is judged afresh by itself.
//   --test PATH[,…]    only these tests (by default all that import the file, directly or not)
//   --max N, --seed S  a sample of N mutants instead of all
//   --results FILE     by default test-results/mutants.json: what is judged there is not judged again
//   --survivors        judges again those that survived: after new tests
//   --list             only names the mutants
import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { makeMutants } from './mutants.mjs';
import { describe, readResults, report, writeResults } from './mutantResults.mjs';
import { writeSchema } from './mutantSchema.mjs';

const root = path.dirname(import.meta.dirname);
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    test: { type: 'string' },
    max: { type: 'string' },
    seed: { type: 'string', default: '0' },
    results: { type: 'string', default: path.join(root, 'test-results', 'mutants.json') },
    survivors: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) {
  console.error('Name files or folders of sources, for example: npm run mutate -- server/attack');
  process.exit(2);
}

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-mutants-')));
let runner = null;
let isInterrupted = false;
process.on('exit', () => {
  endRunner();
  fs.rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    isInterrupted = true;
    endRunner();
  });
}

const tree = copyTree();
refuseOthers('source', positionals, (file) => file.endsWith('.ts'));
refuseOthers('test', options.test?.split(',') ?? [], (file) => file.endsWith('.test.ts'));
const sources = tree.filter((file) => file.endsWith('.ts') && positionals.some((place) => isIn(file, place)));
/** As they were copied: the tree may change meanwhile. */
const originals = new Map(sources.map((file) => [file, fs.readFileSync(path.join(scratch, file), 'utf8')]));
const changedTexts = new Map();
const orderFile = path.join(scratch, 'mutantOrder.json');
const eventsFile = path.join(scratch, 'mutantEvents.ndjson');
const lookMs = 1000;
/** Of each mutant, by id, the node that it changes. */
const nodes = new Map();
const service = openTypeScript();
const mutants = sample(sources.flatMap(mutantsOf));
if (options.list) for (const mutant of mutants) console.log(describe(mutant));
else await judgeAll();

async function judgeAll() {
  const judged = readResults(options.results);
  const waiting = mutants
    .filter(({ id }) => !judged.has(id) || (options.survivors && judged.get(id).verdict === 'survived'))
    .map((mutant, number) => ({ ...mutant, number, node: nodes.get(mutant.id) }));
  console.log(`${mutants.length} mutants, ${waiting.length} to judge`);
  const conclude = (number, verdict, by) => {
    const { number: _, node, ...mutant } = waiting[number];
    judged.set(mutant.id, { ...mutant, verdict, by });
    living.delete(number);
    writeResults(options.results, judged);
    console.log(`${verdict.padEnd(9)} ${describe(mutant)}  ${by ?? ''}`);
  };
  const living = new Set(waiting.keys());
  for (const [file, some] of Map.groupBy(waiting, ({ file }) => file))
    rewrite(path.join(scratch, file), writeSchema(some[0].node.getSourceFile(), some));
  const cases = waiting.length > 0 ? await tryAll(living, conclude) : null;
  for (const number of [...living]) {
    if (isInterrupted) break;
    const typeError = findTypeError(waiting[number]);
    if (typeError) conclude(number, 'killed', `types: ${typeError}`);
    else await judgeAfresh(number, cases, conclude);
  }
  endRunner();
  report(
    mutants.flatMap(({ id }) => judged.get(id) ?? []),
    options.results,
  );
}

/**
 * Each test file once, with all of its mutants, cases in which they cost little first.
 * @returns of each file the mutants that it reaches by case's id and outside of its cases, and those to be judged afresh
 */
async function tryAll(living, conclude) {
  const found = new Map(findTests().map((file) => [file, { cases: new Map(), outside: [] }]));
  const doubtful = new Set();
  for (const slowMs of [250, 5000, null]) {
    for (const [file, seen] of found) {
      const ids = slowMs === 250 ? null : [...seen.cases].filter(([, one]) => one.isSlow).map(([id]) => id);
      const tried = {};
      let isWhole = ids?.length === 0;
      while (!isWhole && !isInterrupted && living.size > 0) {
        isWhole = await tryFile({ file, ids, slowMs, tried }, seen, { living, doubtful, conclude });
      }
    }
  }
  return { found, doubtful };
}

/** @returns whether it came to the file's end: a mutant that does not, or that breaks what follows, ends its process */
async function tryFile({ file, ids, slowMs, tried }, seen, { living, doubtful, conclude }) {
  const shown = path.relative(scratch, file);
  const order = { nMutants: mutants.length, living: [...living], tried, slowMs, always: null };
  const { failure, isOver, events } = await runTests([{ file, ids }], order, 10_000 + 5 * slowestMs(seen));
  let trying = null;
  let failed = null;
  for (const event of events) {
    trying = event.trying ?? null;
    if ('reaches' in event) seen.cases.set(event.id, event);
    if ('failed' in event) failed = event;
    if ('outside' in event) seen.outside = [...new Set([...seen.outside, ...event.outside])];
    if ('killed' in event) conclude(event.killed, 'killed', `${shown}: ${failed.name} ${failed.message.slice(0, 80)}`);
    if ('withstood' in event && !event.isMet) doubtful.add(event.withstood);
    if ('spoilt' in event) doubtful.add(event.spoilt);
    const done = event.withstood ?? event.spoilt;
    if (done !== undefined) (tried[event.id] ??= []).push(done);
  }
  if (isInterrupted) return true;
  if (trying !== null) conclude(trying, 'killed', `${shown}: ${isOver ? 'it does not end' : 'the process ended'}`);
  else if (!events.some((event) => 'spoilt' in event)) {
    // A rejection that nobody handled is told at the end: any that withstood may have caused it.
    if (failure?.file === null) for (const { withstood } of events) doubtful.add(withstood);
    else if (failure) throw new Error(`${failure.file} fails on unbroken sources: ${failure.test} ${failure.message}`);
    return true;
  }
  return false;
}

/** From the import on, where a mutant is reached before the cases, or where what others left may have hidden or told it. */
async function judgeAfresh(number, { found, doubtful }, conclude) {
  const reaching = [...found].flatMap(([file, { cases, outside }]) => {
    const ids = [...cases.values()].filter(({ reaches }) => reaches.includes(number)).map(({ id }) => id);
    if (outside.includes(number)) return [{ file, ids: null }];
    return ids.length > 0 ? [{ file, ids }] : [];
  });
  if (reaching.length === 0) return conclude(number, 'survived', 'no test reaches it');
  const tests = doubtful.has(number) ? reaching : reaching.filter(({ ids }) => ids === null);
  const order = { nMutants: mutants.length, living: [], tried: {}, slowMs: null, always: number };
  const guardMs = 30_000 + 5 * Math.max(...[...found.values()].map(slowestMs));
  const { failure, isOver } = tests.length > 0 ? await runTests(tests, order, guardMs) : { failure: null };
  if (isInterrupted) return;
  if (isOver) conclude(number, 'killed', 'it does not end');
  else if (failure) conclude(number, 'killed', `${failure.file}: ${failure.test ?? failure.message}`);
  else conclude(number, 'survived', null);
}

function slowestMs({ cases }) {
  return Math.max(0, ...[...cases.values()].map(({ ms }) => ms));
}

/** Of what vitest has read, this is old from now on. */
function rewrite(place, text) {
  changedTexts.set(place, { text: originals.get(path.relative(scratch, place)), version: 0 });
  fs.writeFileSync(place, text);
}

/**
 * @param tests of each the file and the ids of its cases, null for all
 * @param order of scripts/mutantRunner.mjs
 * @param guardMs against endless loops alone: the longest that a broken case may take until something happens
 * @returns the first failure or null, whether the guard was over, and what the runner told
 */
async function runTests(tests, order, guardMs) {
  runner ??= await startRunner();
  fs.writeFileSync(eventsFile, '');
  const { child } = runner;
  const answer = await new Promise((resolve) => {
    let nBytes = -1;
    // Counted, so that time in which all of this is stopped is none.
    let nLooks = 0;
    let nSeconds = 0;
    const watch = setInterval(() => {
      if (++nSeconds % 60 === 0) tellCase(readEvents());
      const { size } = fs.statSync(eventsFile);
      nLooks = size === nBytes ? nLooks + 1 : 0;
      nBytes = size;
      const isBroken = order.always !== null || readEvents().at(-1)?.trying !== undefined;
      if (isBroken && nLooks * lookMs > guardMs) finish({ failure: null, isOver: true });
    }, lookMs);
    const finish = (result) => {
      clearInterval(watch);
      child.off('message', finish);
      child.off('exit', crash);
      if (result.isOver) endRunner();
      resolve(result);
    };
    const crash = () => {
      runner = null;
      finish({ failure: { file: 'the test runner', test: 'ended', message: '' } });
    };
    child.on('message', finish);
    child.on('exit', crash);
    child.send({ tests, ...order });
  });
  return { ...answer, events: readEvents() };
}

/** Verdicts of a file's cases come at its end, which may be far where they are slow. */
function tellCase(events) {
  const { id, name, ms, reaches } = events.findLast((event) => 'reaches' in event) ?? {};
  if (!name) return;
  const nTried = events.filter((event) => 'trying' in event && event.id === id).length;
  console.log(`…         ${nTried} of ${reaches.length} tried by ${name}, ${(ms / 1000).toFixed(1)} s each`);
}

/** Whole lines alone. */
function readEvents() {
  const lines = fs.readFileSync(eventsFile, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** In a process group of its own, so that all that tests have started ends with it. */
async function startRunner() {
  const child = fork(path.join(scratch, 'scripts/mutantTests.mjs'), [scratch, orderFile, eventsFile], {
    cwd: scratch,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('vitest did not start')));
  });
  child.removeAllListeners('exit');
  return { child };
}

function endRunner() {
  if (!runner) return;
  try {
    process.kill(-runner.child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  runner = null;
}

/** Copies, not hard links: nothing written there may reach the tree. What is installed or built is looked at where it is. */
function copyTree() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const files = listed
    .toString()
    .split('\0')
    .filter((file) => file !== '' && fs.existsSync(path.join(root, file)));
  for (const file of files) {
    fs.mkdirSync(path.join(scratch, path.dirname(file)), { recursive: true });
    fs.copyFileSync(path.join(root, file), path.join(scratch, file));
  }
  for (const folder of ['node_modules', 'dist'])
    fs.symlinkSync(path.join(root, folder), path.join(scratch, folder), 'junction');
  return files;
}

/** Ends with an error where a place that was named holds no such file. */
function refuseOthers(what, places, isWanted) {
  const others = places.filter((place) => !tree.some((file) => isWanted(file) && isIn(file, place)));
  if (others.length === 0) return;
  console.error(`There is no ${what} at ${others.join(', ')}.`);
  process.exit(2);
}

function isIn(file, place) {
  const wanted = path.relative(root, path.resolve(root, place)).replaceAll(path.sep, '/');
  return file === wanted || file.startsWith(`${wanted}/`);
}

function openTypeScript() {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options: strict } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, types: ['node'] },
    scratch,
  );
  // A value that is no longer used breaks no rule.
  const compilerOptions = { ...strict, noUnusedLocals: false, noUnusedParameters: false, allowUnreachableCode: true };
  const textOf = (file) => changedTexts.get(file)?.text ?? ts.sys.readFile(file);
  return ts.createLanguageService({
    getScriptFileNames: () => sources.map((file) => path.join(scratch, file)),
    getScriptVersion: (file) => String(changedTexts.get(file)?.version ?? 0),
    getScriptSnapshot: (file) => {
      const text = textOf(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => scratch,
    getCompilationSettings: () => compilerOptions,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
}

/** The first error in the broken file itself, or null. */
function findTypeError({ file, start, end, replacement }) {
  const place = path.join(scratch, file);
  const text = originals.get(file);
  const { version } = changedTexts.get(place);
  changedTexts.set(place, { text: text.slice(0, start) + replacement + text.slice(end), version: version + 1 });
  const [error] = [...service.getSyntacticDiagnostics(place), ...service.getSemanticDiagnostics(place)];
  changedTexts.set(place, { text, version: version + 2 });
  return error ? ts.flattenDiagnosticMessageText(error.messageText, ' ').slice(0, 120) : null;
}

function mutantsOf(file) {
  const program = service.getProgram();
  const source = program.getSourceFile(path.join(scratch, file));
  const hash = createHash('sha256').update(source.text).digest('hex').slice(0, 12);
  return makeMutants(source, program.getTypeChecker()).map(({ node, ...mutant }) => {
    const { line, character } = source.getLineAndCharacterOfPosition(mutant.start);
    const original = source.text.slice(mutant.start, mutant.end);
    const id = [file, hash, mutant.start, mutant.end, mutant.replacement].join(':');
    nodes.set(id, node);
    return {
      id,
      file,
      line: line + 1,
      column: character + 1,
      ...mutant,
      original,
      code: source.text.split('\n')[line].trim(),
    };
  });
}

/** The same ones for the same seed and sources, in order of their place. */
function sample(all) {
  if (!options.max) return all;
  const drawn = all.map((mutant) => ({
    mutant,
    draw: createHash('sha256').update(`${options.seed}:${mutant.id}`).digest('hex'),
  }));
  const chosen = drawn.sort((a, b) => (a.draw < b.draw ? -1 : 1)).slice(0, Number(options.max));
  const kept = new Set(chosen.map(({ mutant }) => mutant));
  return all.filter((mutant) => kept.has(mutant));
}

/** Of each file of the tree those that import it. */
function findImporters() {
  const importers = new Map();
  for (const file of tree.filter((name) => name.endsWith('.ts'))) {
    for (const { fileName } of ts.preProcessFile(fs.readFileSync(path.join(scratch, file), 'utf8')).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const imported = path.posix.join(path.posix.dirname(file), fileName);
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
    }
  }
  return importers;
}

/** Absolute, in the scratch copy; those that import a source themselves first. */
function findTests() {
  const importers = findImporters();
  const found = new Set(sources);
  for (const each of found) for (const importer of importers.get(each) ?? []) found.add(importer);
  const wanted = options.test?.split(',');
  return [...found]
    .filter(
      (name) =>
        name.endsWith('.test.ts') &&
        !name.startsWith('test/vscode/') &&
        (wanted?.some((place) => isIn(name, place)) ?? true),
    )
    .map((name) => path.join(scratch, name));
}
