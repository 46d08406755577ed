import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { makeMutants } from '../../scripts/mutants.mjs';
import { writeSchema } from '../../scripts/mutantSchema.mjs';

const root = path.join(import.meta.dirname, '../..');

/** Something of each kind of change, in places where a choice could break the text. */
const sample = `
type Way = 'up' | 'down';
const sizes: Record<number, string> = { 1: 'one', 2: 'two' };
function turn(way: Way, by = 2): number {
  return way === 'up' ? by : -by;
}
export function run(values: readonly number[] | undefined, seen: string[]) {
  let [sum, n] = [0, 1];
  for (const i of [0, 1, 2]) {
    if (i === 1) continue;
    else if (i > 5) seen.push('far');
    sum += turn('up') * i - Math.min(i, 1) ** 2;
  }
  n++;
  if (seen.length > 0 && !values) return [sum];
  const isAny = values?.some((value) => value > 1 && value < 3).valueOf() ?? false;
  seen.push(sizes[n] ?? 'none');
  return [sum, turn('down', 3), isAny, (values?.length ?? 0) + 1 === 3 || sum % 2 >= 1];
}
`;

describe('mutants', () => {
  it('chosen in a schema compute what their own texts do, and none is chosen by itself', () => {
    const { source, mutants } = mutantsOf(sample);
    const schema = writeSchema(source, mutants);
    expect(mutants.length).toBeGreaterThan(50);
    expect(outcome(schema, null)).toBe(outcome(sample, null));
    let nTold = 0;
    for (const { number, start, end, replacement } of mutants) {
      const own = sample.slice(0, start) + replacement + sample.slice(end);
      expect(outcome(schema, number), `${sample.slice(start, end)} → ${replacement}`).toBe(outcome(own, null));
      if (outcome(own, null) !== outcome(schema, null)) nTold++;
    }
    expect(nTold).toBeGreaterThan(30);
  });

  it('are judged by the tests that reach them, at the import, too', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-mutate-'));
    const results = path.join(folder, 'results.json');
    try {
      execFileSync(
        process.execPath,
        ['scripts/mutate.mjs', 'server/protocol/proportion.ts', '--test', 'test/protocol', '--results', results],
        { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
      );
    } finally {
      const found = JSON.parse(fs.readFileSync(results, 'utf8')) as { verdict: string; original: string }[];
      expect(found.filter(({ verdict }) => verdict === 'killed').length).toBeGreaterThan(10);
      fs.rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['source', ['server/protocol/proportion.ts', 'server/protocol/nowhere.ts']],
    ['test', ['server/protocol/proportion.ts', '--test', 'test/protocol,server/protocol/nowhere.ts']],
  ])('of a place that holds no %s are refused, naming it', (what, args) => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/mutate.mjs', ...args, '--list'], { cwd: root });
    expect([status, String(stderr)]).toEqual([2, `There is no ${what} at server/protocol/nowhere.ts.\n`]);
  });
});

function mutantsOf(text: string) {
  const host = ts.createCompilerHost({});
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === 'sample.ts'
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true)
      : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram(['sample.ts'], { target: ts.ScriptTarget.ES2023, strict: true }, host);
  const source = program.getSourceFile('sample.ts')!;
  const mutants = makeMutants(source, program.getTypeChecker()).map((mutant, number) => ({ ...mutant, number }));
  return { source, mutants };
}

type Run = (values: readonly number[] | undefined, seen: string[]) => unknown;

function load(text: string): Run {
  const { outputText, diagnostics } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  if (diagnostics!.length > 0) return () => 'no TypeScript';
  const exported: { run?: Run } = {};
  // eslint-disable-next-line @typescript-eslint/no-unsafe-call
  new Function('exports', outputText)(exported);
  return exported.run!;
}

/** What comes of three calls, or of one that ends in an error or nowhere. */
function outcome(text: string, wanted: number | null): string {
  const asked = globalThis as { kafscopeMutant?: ((number: number) => boolean) | undefined };
  asked.kafscopeMutant = (number) => number === wanted;
  try {
    const run = load(text);
    return JSON.stringify(
      [[2, 0], [], undefined].map((values) => {
        const seen: string[] = values ? [] : ['before'];
        return [run(values, seen), seen];
      }),
    );
  } catch (error) {
    return String(error);
  } finally {
    delete asked.kafscopeMutant;
  }
}
