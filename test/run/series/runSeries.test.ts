// Tables of one run made of rows by hand, and when what was kept of them counts.
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decode, encode } from '../../../server/protocol/codec.ts';
import type { RunRecord } from '../../../server/protocol/records.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import { LogWriter } from '../../../server/run/logFile.ts';
import { encodeFrame } from '../../../server/run/logFrames.ts';
import { thisProcess } from '../../../server/run/owner.ts';
import type { Pyramid } from '../../../server/run/series/pyramid.ts';
import { RunSeries, seriesFolderName } from '../../../server/run/series/runSeries.ts';
import { begin } from '../handMadeLog.ts';
import { createScriptedRun, temporaryFolder } from '../scriptedRun.ts';
import { scriptedPlan } from '../scriptedTrainer.ts';
import { watchDescriptors } from './watchDescriptors.ts';

let run: RunSummary;
let folder: string;
let nRows: number;

beforeEach(() => {
  run = createScriptedRun(scriptedPlan('steps'));
  folder = path.join(temporaryFolder(), 'deep', 'series');
  nRows = 0;
  begin(run.folder, 0, {});
});

function log(...records: readonly RunRecord[]): void {
  const rows = records.map((record) => ({
    ...{ seq: ++nRows, timeMs: 1000 + nRows, record },
    step: 'step' in record && typeof record.step === 'number' ? record.step : 0,
  }));
  fs.appendFileSync(path.join(run.folder, 'log-0'), encodeFrame('rows', rows));
}

function opened(): RunSeries {
  const series = new RunSeries(run, folder);
  onTestFinished(() => {
    series.close();
  });
  return series;
}

function caughtUp(series = opened()): RunSeries {
  for (const { doneBytes, totalBytes } of series.catchUp()) expect(doneBytes).toBeLessThanOrEqual(totalBytes);
  return series;
}

/** By its name, every series of a table. */
function valuesOf(table: Pyramid | null): Record<string, number[]> {
  return Object.fromEntries(
    table!.tags.names.map((name, index) => [
      name,
      [...table!.valuesOf(index, table!.rows)].flatMap((part) => [...part]),
    ]),
  );
}

function prepared(names: readonly string[]): RunRecord {
  const parameters = names.map((name) => ({ name, layer: name.split('.')[0]!, shape: [2] }));
  return { type: 'prepared', parameters, activations: [], steps: 10, stepsPerEpoch: 10, epochs: 1 };
}

function norms(step: number, weights: readonly number[], gradients: readonly number[]): RunRecord {
  return {
    ...{ type: 'norms', step, weights: Float32Array.from(weights), gradients: Float32Array.from(gradients) },
    ...{ nonFiniteWeights: new Int32Array(2), nonFiniteGradients: new Int32Array(2) },
  };
}

function step(at: number, loss = at / 8): RunRecord {
  return { type: 'step', step: at, epoch: 1, loss, accuracy: at / 16, learningRate: 0.1 };
}

describe('tables of a run', () => {
  it('have what its steps and tests measured, and NaN for what they did not', () => {
    const test = { type: 'test', epoch: 1, samples: 10, robustSamples: 5 } as const;
    const validation = { loss: 0.5, accuracy: 0.625, samples: 4 };
    log(step(1), { ...test, step: 1, loss: 0.1, accuracy: 0.2, robustAccuracy: null });
    log(step(2), { ...test, step: 2, loss: 0.3, accuracy: 0.4, robustAccuracy: 0.25, validation, auc: 0.75 });
    const { steps, tests } = caughtUp().tables;
    expect(valuesOf(steps)).toEqual({ loss: [0.125, 0.25], accuracy: [0.0625, 0.125], learningRate: [0.1, 0.1] });
    expect(valuesOf(tests)).toEqual({
      ...{ 'test/loss': [0.1, 0.3], 'test/accuracy': [0.2, 0.4], 'test/robustAccuracy': [NaN, 0.25] },
      ...{ 'test/validationLoss': [NaN, 0.5], 'test/validationAccuracy': [NaN, 0.625], 'test/auc': [NaN, 0.75] },
    });
  });

  it('of tensors that are no more are closed', () => {
    const open = watchDescriptors();
    const files = () =>
      open(folder)
        .filter((file) => /-rows$/.test(file))
        .map((file) => path.basename(file));
    log(prepared(['a.kernel', 'b.kernel']), norms(1, [1, 2], [3, 4]));
    const series = caughtUp(new RunSeries(run, folder));
    log(prepared(['c.kernel', 'd.kernel']), norms(2, [1, 2], [3, 4]));
    caughtUp(series);
    expect(files().sort()).toEqual(['norms-rows', 'steps-rows', 'tests-rows', 'updates-rows']);
    series.close();
    expect(open(folder)).toEqual([]);
  });

  it('have norms and updates of the tensors that were last prepared, and NaN where a record has fewer', () => {
    log(norms(1, [1, 1], [1, 1]));
    log({ type: 'updates', step: 1, before: Float32Array.of(1, 1), updates: Float32Array.of(1, 1) });
    expect(caughtUp().tables).toMatchObject({ norms: null, updates: null });
    log(prepared(['a.kernel', 'b.kernel']), norms(2, [2, 4], [3, 4]));
    log({ type: 'updates', step: 2, before: Float32Array.of(2, 4), updates: Float32Array.of(1, 3) });
    log(norms(3, [8], [6, 8, 24]));
    const { tables } = caughtUp();
    expect(valuesOf(tables.norms)).toEqual({
      gradientNorm: [5, 26],
      ...{ 'weights/a.kernel': [2, 8], 'gradients/a.kernel': [3, 6], 'ratio/a.kernel': [1.5, 0.75] },
      ...{ 'weights/b.kernel': [4, NaN], 'gradients/b.kernel': [4, 8], 'ratio/b.kernel': [1, NaN] },
    });
    expect(valuesOf(tables.updates)).toEqual({ 'update/a.kernel': [0.5], 'update/b.kernel': [0.75] });
    log(prepared(['a.kernel', 'b.kernel']), norms(4, [1, 1], [1, 1]));
    expect(valuesOf(caughtUp().tables.norms)['weights/a.kernel']).toEqual([2, 8, 1]);
    log(prepared(['c.kernel']), norms(5, [7], [1]));
    const { norms: others, updates } = caughtUp().tables;
    expect(valuesOf(others)['weights/c.kernel']).toEqual([7]);
    expect(updates!.rows).toBe(0);
    log(prepared([]));
    expect(caughtUp().tables).toMatchObject({ norms: null, updates: null });
    expect(opened().tables).toMatchObject({ norms: null, updates: null });
  });

  it('have norms of the first 10,000 tensors', () => {
    const ones = new Array<number>(10_001).fill(1);
    log(prepared(ones.map((_, index) => `t${String(index)}`)), norms(1, ones, ones));
    const { names } = caughtUp().tables.norms!.tags;
    expect(names).toContain('weights/t9999');
    expect(names).not.toContain('weights/t10000');
  });
});

describe('what was kept of a run', () => {
  const kept = (): string => path.join(folder, 'kept');

  function change(part: Record<string, unknown>): void {
    fs.writeFileSync(kept(), encode({ ...(decode(fs.readFileSync(kept())) as object), ...part }));
  }

  it('is gone on with, also where it was kept before other rows came', () => {
    log(prepared(['a.kernel']), step(1), norms(1, [3], [4]));
    caughtUp();
    const again = opened();
    expect(again.snapshot.cursor).toBe(3);
    expect([again.tables.steps.rows, again.tables.norms!.rows, again.tables.updates!.rows]).toEqual([1, 1, 0]);
    log(step(2), norms(2, [5], [6]));
    const { tables } = caughtUp(again);
    expect(valuesOf(tables.norms)['weights/a.kernel']).toEqual([3, 5]);
    expect(valuesOf(tables.steps)['loss']).toEqual([0.125, 0.25]);
    expect(opened().tables.steps.rows).toBe(1);
    again.keep();
    expect(opened().tables.steps.rows).toBe(2);
  });

  it.each([
    ['another form', { version: 2 }],
    ['other logs', { logs: ['0 another'] }],
    ['more logs', { logs: ['0 another', '1 another'] }],
    ['further logs', (logs: readonly string[]) => ({ logs: [...logs, '1 another'] })],
  ])('of %s is made again', (_what, part) => {
    log(step(1));
    const { logs } = caughtUp();
    change(typeof part === 'function' ? part(logs) : part);
    const { snapshot, tables } = opened();
    expect([snapshot.cursor, tables.steps.rows]).toEqual([0, 0]);
    expect(fs.existsSync(kept())).toBe(false);
  });

  it('goes before rows of it become others', () => {
    log(step(1), step(2), step(3));
    const series = caughtUp();
    expect(fs.existsSync(kept())).toBe(true);
    log(step(4));
    caughtUp(series);
    expect((decode(fs.readFileSync(kept())) as { rows: object }).rows).toMatchObject({ steps: 3 });
    log(step(4, 7));
    series.catchUp().next();
    expect(fs.existsSync(kept())).toBe(false);
    caughtUp(series);
    expect((decode(fs.readFileSync(kept())) as { rows: object }).rows).toMatchObject({ steps: 4 });
    expect(valuesOf(opened().tables.steps)['loss']).toEqual([0.125, 0.25, 0.375, 7]);
    log(prepared(['a.kernel']));
    series.catchUp().next();
    expect(fs.existsSync(kept())).toBe(false);
  });
});

it('a run whose rows a later log makes void is made anew, and leaves no file open', () => {
  const openSync = vi.spyOn(fs, 'openSync');
  const closeSync = vi.spyOn(fs, 'closeSync');
  log(prepared(['a.kernel']), step(1), norms(1, [3], [4]), step(2), norms(2, [5], [6]));
  const series = caughtUp(new RunSeries(run, folder));
  const head = {
    ...{ format: 'kafscope log' as const, version: 1, number: 1, owner: thisProcess(), work: 'train' as const },
    ...{ startedMs: 1, firstSeq: 8, voids: { step: 1, seq: 3 }, restStatus: null },
  };
  const rows = [{ seq: 8, timeMs: 1, step: 2, record: step(2, 7) }];
  new LogWriter(run.folder, head, [encodeFrame('rows', rows)]).close();
  caughtUp(series);
  expect(valuesOf(series.tables.steps)['loss']).toEqual([0.125, 7]);
  expect(valuesOf(series.tables.norms)['weights/a.kernel']).toEqual([3]);
  series.close();
  expect(closeSync.mock.calls.length).toBe(openSync.mock.results.filter(({ type }) => type === 'return').length);
  vi.restoreAllMocks();
  expect(opened().tables.steps.rows).toBe(2);
});

it('a folder of the cache has a name of its own for each run and each place of it', () => {
  const names = [
    { id: 'a', folder: '/runs/a' },
    { id: 'b', folder: '/runs/a' },
    { id: 'a', folder: '/runs/b' },
  ].map(seriesFolderName);
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  expect(seriesFolderName({ id: 'a', folder: '/runs/a' })).toBe(names[0]);
});
