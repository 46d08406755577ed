// `npm run mutate -- server/attack`: breaks the sources in small ways, one at a time, and says which breaks no test notices.
// All of it happens in a scratch copy of the tree; child processes that tests start from dist/ run unbroken code.
//   PATH…              files or folders of sources
// First every test runs once, to see which cases reach which part of a source; a mutant then meets those of its part alone, the
// quickest file first.
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
import { partAt, traceParts } from './mutantReach.mjs';
import { makeMutants } from './mutants.mjs';

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
const sources = tree.filter((file) => file.endsWith('.ts') && positionals.some((place) => isIn(file, place)));
/** As they were copied: the tree may change meanwhile. */
const originals = new Map(sources.map((file) => [file, fs.readFileSync(path.join(scratch, file), 'utf8')]));
const rewritten = new Set();
const changedTexts = new Map();
const service = openTypeScript();
const mutants = sample(sources.flatMap(mutantsOf));
if (options.list) for (const mutant of mutants) console.log(describe(mutant));
else await judgeAll();

async function judgeAll() {
  const judged = readResults();
  const importers = findImporters();
  const waiting = mutants.filter(
    ({ id }) => !judged.has(id) || (options.survivors && judged.get(id).verdict === 'survived'),
  );
  console.log(`${mutants.length} mutants, ${waiting.length} to judge`);
  const reach = await findReach(waiting, importers);
  for (const [index, mutant] of waiting.entries()) {
    if (isInterrupted) break;
    const verdict = (await judge(mutant, reach)) ?? null;
    if (!verdict) break;
    judged.set(mutant.id, { ...mutant, ...verdict });
    writeResults(judged);
    console.log(
      `${index + 1}/${waiting.length}  ${verdict.verdict.padEnd(9)} ${describe(mutant)}  ${verdict.by ?? ''}`,
    );
  }
  endRunner();
  conclude(mutants.flatMap(({ id }) => judged.get(id) ?? []));
}

/**
 * Runs the tests of all these mutants once on traced sources.
 * @returns of each source its parts and its tests; of each test its cases with their time and the parts that they reach; and the
 *   longest time until a case ended
 */
async function findReach(waiting, importers) {
  const files = [...new Set(waiting.map(({ file }) => file))];
  const partsOf = new Map();
  let nParts = 0;
  for (const file of files) {
    const source = service.getProgram().getSourceFile(path.join(scratch, file));
    const { text, parts } = traceParts(source, nParts);
    nParts += parts.length;
    partsOf.set(file, parts);
    rewrite(path.join(scratch, file), text);
  }
  const testsOfFiles = new Map(files.map((file) => [file, testsOf(file, importers)]));
  const casesOf = new Map();
  let longestMs = 0;
  for (const test of new Set([...testsOfFiles.values()].flat())) {
    const run = await runTests([{ file: test, ids: null }], null);
    if (isInterrupted) break;
    const { failure, reached } = run;
    if (failure) throw new Error(`${failure.file} fails on unbroken sources: ${failure.test} ${failure.message}`);
    longestMs = Math.max(longestMs, run.longestMs);
    const [{ cases, outside }] = reached;
    casesOf.set(
      test,
      cases.map(({ id, ms, parts }) => ({ id, ms, parts: new Set([...parts, ...outside]) })),
    );
  }
  for (const file of files) rewrite(path.join(scratch, file), originals.get(file));
  return { partsOf, testsOfFiles, casesOf, longestMs, alone: new Map() };
}

/** Of each test the cases that reach the mutant, in two parts, the quickest part first: most mutants meet no slow case. */
function testsReaching(mutant, { partsOf, testsOfFiles, casesOf }) {
  const part = partAt(partsOf.get(mutant.file), mutant);
  const found = testsOfFiles.get(mutant.file).flatMap((file) => {
    const cases = casesOf.get(file).filter(({ parts }) => part === null || parts.has(part));
    let quickMs = 0;
    const quick = new Set(cases.toSorted((a, b) => a.ms - b.ms).filter(({ ms }) => (quickMs += ms) < 2000));
    return [cases.filter((one) => quick.has(one)), cases.filter((one) => !quick.has(one))].map((some) => ({
      file,
      ids: some.map(({ id }) => id),
      ms: some.reduce((sum, { ms }) => sum + ms, 0),
    }));
  });
  return found.filter(({ ids }) => ids.length > 0).sort((a, b) => a.ms - b.ms);
}

/** @returns the verdict, or null where it was interrupted on the way */
async function judge(mutant, reach) {
  const { file, start, end, replacement } = mutant;
  const place = path.join(scratch, file);
  const text = originals.get(file);
  const broken = text.slice(0, start) + replacement + text.slice(end);
  const typeError = findTypeError(file, broken);
  if (typeError) return { verdict: 'killed', by: `types: ${typeError}` };
  const tests = testsReaching(mutant, reach);
  if (tests.length === 0) return { verdict: 'survived', by: 'no test reaches it' };
  rewrite(place, broken);
  // A guard against endless loops only: no test of the unbroken sources takes nearly as long here and now.
  const { failure, isOver } = await runTests(tests, 8000 + 5 * reach.longestMs);
  rewrite(place, text);
  if (isInterrupted) return null;
  if (isOver) return { verdict: 'killed', by: 'guard: it does not end' };
  if (!failure) return { verdict: 'survived', by: null };
  await checkAlone(failure, reach);
  return { verdict: 'killed', by: `${failure.file}: ${failure.test ?? failure.message}` };
}

/** A case that needs those before it, which a mutant may not meet, proves nothing. */
async function checkAlone({ file, test, id }, { alone }) {
  if (!id || isInterrupted) return;
  if (!alone.has(id)) alone.set(id, (await runTests([{ file: path.join(scratch, file), ids: [id] }], null)).failure);
  if (alone.get(id)) throw new Error(`${file}: ${test} fails alone on unbroken sources: ${alone.get(id).message}`);
}

/** Of what vitest has read, this is old from now on. */
function rewrite(place, text) {
  fs.writeFileSync(place, text);
  rewritten.add(place);
}

/**
 * @param tests of each the file and the ids of its cases, null for all
 * @param guardMs until the next case ends; null for as long as it takes
 * @returns the first failure or null, whether the guard was over, what was reached, and the longest time until a case ended
 */
async function runTests(tests, guardMs) {
  runner ??= await startRunner();
  const { child } = runner;
  return new Promise((resolve) => {
    const guard = guardMs && setTimeout(() => finish({ failure: null, isOver: true }), guardMs);
    let lastMs = performance.now();
    let longestMs = 0;
    const finish = (result) => {
      clearTimeout(guard);
      child.off('message', hear);
      child.off('exit', crash);
      if (result.isOver) endRunner();
      resolve({ ...result, longestMs });
    };
    const hear = (message) => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
      if (message.isTestOver) guard?.refresh();
      else finish(message);
    };
    const crash = () => {
      runner = null;
      finish({ failure: { file: 'the test runner', test: 'ended', message: '' } });
    };
    child.on('message', hear);
    child.on('exit', crash);
    child.send({ changed: [...rewritten], tests });
    rewritten.clear();
  });
}

/** In a process group of its own, so that all that tests have started ends with it. */
async function startRunner() {
  const child = fork(path.join(scratch, 'scripts/mutantTests.mjs'), [scratch], {
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
function findTypeError(file, broken) {
  const place = path.join(scratch, file);
  const version = (changedTexts.get(place)?.version ?? 0) + 1;
  changedTexts.set(place, { text: broken, version });
  const [error] = [...service.getSyntacticDiagnostics(place), ...service.getSemanticDiagnostics(place)];
  changedTexts.set(place, { text: originals.get(file), version: version + 1 });
  return error ? ts.flattenDiagnosticMessageText(error.messageText, ' ').slice(0, 120) : null;
}

function mutantsOf(file) {
  const program = service.getProgram();
  const source = program.getSourceFile(path.join(scratch, file));
  const hash = createHash('sha256').update(source.text).digest('hex').slice(0, 12);
  return makeMutants(source, program.getTypeChecker()).map((mutant) => {
    const { line, character } = source.getLineAndCharacterOfPosition(mutant.start);
    const original = source.text.slice(mutant.start, mutant.end);
    const id = [file, hash, mutant.start, mutant.end, mutant.replacement].join(':');
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

/** Absolute, in the scratch copy. */
function testsOf(file, importers) {
  const found = new Set([file]);
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

function readResults() {
  if (!fs.existsSync(options.results)) return new Map();
  return new Map(JSON.parse(fs.readFileSync(options.results, 'utf8')).map((result) => [result.id, result]));
}

function writeResults(judged) {
  fs.mkdirSync(path.dirname(options.results), { recursive: true });
  fs.writeFileSync(`${options.results}.partial`, JSON.stringify([...judged.values()], null, 1));
  fs.renameSync(`${options.results}.partial`, options.results);
}

function describe({ file, line, column, original, replacement, code }) {
  const shown = (text) => (text.length > 60 ? `${text.slice(0, 57)}…` : text).replace(/\s+/g, ' ');
  return `${file}:${line}:${column}  ${shown(original)} → ${shown(replacement)}   in: ${shown(code)}`;
}

function conclude(results) {
  const survivors = results.filter(({ verdict }) => verdict === 'survived');
  const byTypes = results.filter(({ by }) => by?.startsWith('types: ')).length;
  console.log(
    `\n${results.length} judged: ${results.length - survivors.length} killed (${byTypes} by types), ${survivors.length} survived`,
  );
  for (const survivor of survivors) console.log(`  ${describe(survivor)}`);
  console.log(`All verdicts: ${options.results}`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
}
