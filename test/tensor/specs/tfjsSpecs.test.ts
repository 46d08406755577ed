// tfjs-core's own specs over `kafscope-wasm`, on each SIMD build, and over `torch`: a backend is one of tfjs's like any other. The
// specs, our sources and jasmine become one bundle, so that there is one tfjs engine, which runs in a process of its own.
import esbuild from 'esbuild';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import type { Cuts } from '../../../server/tensor/wasm/threads/cuts.ts';
import { assetsFolder } from '../wasm/builds.ts';
import { totalOf } from '../wasm/watchJobs.ts';
import { countsOf, faultsOf, type ExcludedSpec, type SpecReport } from './specReport.ts';

const excludedEverywhere = (backend: string): ExcludedSpec => ({
  name: `maxPool ${backend} {} [x=[3,3,1] f=[2,2] s=1 ignores NaNs`,
  reason:
    'A NaN in a window is its maximum, as in PyTorch: a diverged network must not look sound behind a pooling layer.',
});

const excludedSpecs = [excludedEverywhere('kafscope-wasm')];

const excludedOnTorch: readonly ExcludedSpec[] = [
  excludedEverywhere('torch'),
  {
    name: 'gather torch {} throws when index is out of bound',
    reason: 'It does throw, in words of PyTorch’s.',
  },
];

/** tfjs-core 4.22 has 4,230, five of which it switches off itself. */
const leastRan = 4000;

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-specs-'));
  bundle = path.join(folder, 'specs.cjs');
  const { metafile } = await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, 'specsMain.mjs')],
    outfile: bundle,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
    // One engine for all: the packages' module files, not the prebuilt ones that `main` names.
    mainFields: ['module', 'main'],
    // tfjs-core says that its specs have no side effects.
    ignoreAnnotations: true,
  });
  const engines = Object.keys(metafile.inputs).filter((file) => /tfjs-core\/dist\/(engine|tf-core.*)\.js$/.test(file));
  expect(engines).toHaveLength(1);
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

// The specs' tensors are so small that work is shared by threads only where it is cut finest.
describe.each([
  ['relaxed', 1, 'worthwhile'],
  ['relaxed', 2, 'finest'],
  ['relaxed', 4, 'finest'],
  ['plain', 2, 'worthwhile'],
] as const)("tfjs's own specs, %s SIMD, threads: %i, cuts: %s", (build, threads, cuts) => {
  it('pass, but for those excluded for a reason, which fail', async () => {
    const report = await runSpecs(build, threads, cuts);
    expect(faultsOf(report, excludedSpecs, leastRan)).toEqual([]);
    expect(report).toMatchObject({ build, threads });
    // The specs' tensors were in our memory, not in another backend's.
    expect(report.peakBytes).toBeGreaterThan(0);
    const { jobs, split } = totalOf(report.jobs);
    const { passed, failed, pending } = countsOf(report);
    console.log(
      `tfjs's specs, ${build} SIMD, threads ${threads}, cuts ${cuts}: ${passed} passed, ${failed} excluded, ${pending} switched off by tfjs; ${split} of ${jobs} jobs split`,
    );
    if (cuts === 'finest') {
      // A third; most of the others are of one element.
      expect(split).toBeGreaterThan(jobs / 4);
      const whole = Object.entries(report.jobs).filter(([, count]) => count.split === 0);
      // It is cut by images, of which the specs have one there.
      expect(whole.map(([kernel]) => kernel)).toEqual(['convolvePhase']);
    }
  });
});

describe("tfjs's own specs on torch", () => {
  it('pass, but for those excluded for a reason, which fail', async () => {
    const report = await runSpecs('torch', 2, 'worthwhile');
    expect(faultsOf(report, excludedOnTorch, leastRan)).toEqual([]);
    expect(report.peakBytes).toBeGreaterThan(0);
    const { passed, failed, pending } = countsOf(report);
    console.log(`tfjs's specs on torch: ${passed} passed, ${failed} excluded, ${pending} switched off by tfjs`);
  });
});

describe('the verdict on a run of specs', () => {
  const report: SpecReport = {
    build: 'plain',
    threads: 1,
    specs: [
      { name: 'adds', status: 'passed', messages: [] },
      { name: 'divides', status: 'failed', messages: ['expected 2', 'expected 3'] },
      { name: 'waits', status: 'pending', messages: [] },
    ],
    outsideSpecs: [],
    peakBytes: 4,
    jobs: {},
  };

  it('is clean where only excluded specs fail and enough ran', () => {
    expect(faultsOf(report, [{ name: 'divides', reason: 'no division' }], 2)).toEqual([]);
  });

  it('names a failure that is not excluded', () => {
    expect(faultsOf(report, [], 2)).toEqual(['divides: expected 2 · expected 3']);
  });

  it('names an exclusion that passes, is off, or is of no spec', () => {
    const excluded = ['divides', 'adds', 'waits', 'flies'].map((name) => ({ name, reason: 'none' }));
    expect(faultsOf(report, excluded, 2)).toEqual(
      ['adds', 'waits', 'flies'].map((name) => `${name}: is excluded but does not fail`),
    );
  });

  it('counts only the specs that ran', () => {
    const excluded = [{ name: 'divides', reason: 'no division' }];
    expect(faultsOf(report, excluded, 3)).toEqual(['2 specs ran, fewer than 3']);
  });

  it('names failures outside of the specs', () => {
    const withOutside = { ...report, specs: report.specs.slice(0, 1), outsideSpecs: ['set-up threw'] };
    expect(faultsOf(withOutside, [], 1)).toEqual(['outside of the specs: set-up threw']);
  });
});

async function runSpecs(build: SpecReport['build'], threads: number, cuts: Cuts): Promise<SpecReport> {
  // What specs print would drown the test's own words.
  const child = fork(bundle, [build, String(threads), cuts, assetsFolder], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // Where the test's time is up, the process is still there.
  onTestFinished(() => {
    child.kill();
  });
  let report: SpecReport | undefined;
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.on('message', (message) => (report = message as SpecReport));
  const [code] = (await once(child, 'close')) as [number | null];
  if (!report || code !== 0) throw new Error(`the process with the specs ended with ${String(code)}: ${errors}`);
  return report;
}
