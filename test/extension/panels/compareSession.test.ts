import { Emitter } from 'vscode-jsonrpc/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runIdsOf } from '../../../extension/commands/compareIds.ts';
import { CompareSession } from '../../../extension/panels/compareSession.ts';
import type { RunChange } from '../../../extension/runs/runStore.ts';
import type { ConnectionState, ToCompare } from '../../../server/protocol/panel.ts';
import type { SeriesProgress } from '../../../server/protocol/series.ts';
import type { RunStatus } from '../../../server/protocol/run.ts';
import type { SweepSummary } from '../../../server/protocol/sweep.ts';
import { comparedSet, comparedSourceIn, type ComparedSource } from '../../../extension/panels/comparedSets.ts';
import { runSummary } from '../runSummaries.ts';

function compare({
  known = ['a', 'b'],
  failure = null as string | null,
  source = { runIds: ['a', 'b', 'gone'] } as ComparedSource,
  sweep = null as SweepSummary | null,
} = {}) {
  const told: ToCompare[] = [];
  const asked: unknown[] = [];
  const states = new Emitter<ConnectionState>();
  const changes = new Emitter<RunChange>();
  const progress = new Emitter<SeriesProgress>();
  const host = { known, failure, refreshed: 0, sweep };
  const connection = {
    state: { status: 'connected' },
    ...{ onDidChangeState: states.event, onSeriesProgressed: progress.event },
    request: (method: string, params: { runIds: string[] }) => {
      asked.push([method, params]);
      if (host.failure !== null) return Promise.reject(new Error(host.failure));
      return Promise.resolve(
        {
          'run/settings': () => ({ settings: params.runIds.map((seed) => ({ seed })) }),
          'run/series': () => ({ runs: params.runIds.map((runId) => ({ runId })) }),
          'run/outcomes': () => ({ runs: params.runIds.map((runId) => ({ runId })) }),
          'sweep/size': () => ({ bytes: 1000 * host.known.length }),
        }[method]!(),
      );
    },
  } as unknown as ConstructorParameters<typeof CompareSession>[0]['connection'];
  const store = {
    get: (id: string) => (host.known.includes(id) ? runSummary({ id }) : undefined),
    refresh: () => {
      host.refreshed++;
      return Promise.resolve();
    },
    onDidChangeRun: changes.event,
  };
  const sweepChanges = new Emitter<void>();
  const sweeps = {
    get: (id: string) => (id === 's' ? (host.sweep ?? undefined) : undefined),
    refresh: () => Promise.resolve(),
    onDidChange: sweepChanges.event,
  };
  const session = new CompareSession({
    ...{ set: comparedSet(source, { connection, store, sweeps }), connection, store },
    keptView: () => ({ view: { tab: 'table' }, isOwnView: true }),
    post: (message) => told.push(message),
  });
  onTestFinished(() => {
    session.dispose();
  });
  return { session, told, asked, host, states, changes, progress, sweepChanges };
}

describe('a comparison', () => {
  test('is told the runs that are there with their settings, and how it was looked at last', async () => {
    const { session, told, asked, host } = compare();
    await session.ready();
    expect(host.refreshed).toBe(1);
    expect(asked).toEqual([['run/settings', { runIds: ['a', 'b'] }]]);
    expect(told.slice(1)).toEqual([
      {
        ...{ type: 'runs', view: { tab: 'table' }, isOwnView: true },
        runs: ['a', 'b'].map((id) => ({ run: runSummary({ id }), settings: { seed: id } })),
      },
    ]);
  });

  test('says that none is there any more, or what failed, and tries again when the connection is back', async () => {
    const none = compare({ known: [] });
    await none.session.ready();
    expect(none.told.at(-1)).toEqual({ type: 'failed', message: 'None of these runs is there any more.' });
    const { session, told, host, states } = compare({ failure: 'The disk is gone.' });
    await session.ready();
    expect(told.at(-1)).toEqual({ type: 'failed', message: 'The disk is gone.' });
    host.failure = null;
    states.fire({ status: 'connected' });
    await new Promise(setImmediate);
    expect(told.at(-1)).toMatchObject({ type: 'runs' });
  });

  test('is told of its own runs alone, and of nothing while it is hidden', async () => {
    const { session, told, changes, progress } = compare();
    await session.ready();
    const before = told.length;
    changes.fire({ run: runSummary({ id: 'other' }), before: null, isDeleted: false });
    progress.fire({ runId: 'other', doneBytes: 1, totalBytes: 2 });
    expect(told).toHaveLength(before);
    changes.fire({ run: runSummary({ id: 'a' }), before: null, isDeleted: true });
    progress.fire({ runId: 'b', doneBytes: 1, totalBytes: 2 });
    expect(told.slice(before)).toEqual([
      { type: 'run', run: runSummary({ id: 'a' }), isDeleted: true },
      { type: 'reading', runId: 'b', doneBytes: 1, totalBytes: 2 },
    ]);
    session.hide();
    changes.fire({ run: runSummary({ id: 'a' }), before: null, isDeleted: false });
    expect(told).toHaveLength(before + 2);
  });

  test('asks the server for series as its page does, and answers by key and number', async () => {
    const { session, told, asked, host } = compare();
    const query = { tags: ['loss'], from: null, to: 5, pixels: 9, rowsPerBucket: null, smoothing: 0.5 };
    const intent = { type: 'askSeries', key: 'k', asked: 7, runIds: ['a'], ...query } as const;
    await session.answerSeries(intent);
    expect(asked).toEqual([['run/series', { runIds: ['a'], ...query }]]);
    host.failure = 'no disk';
    await session.answerSeries({ ...intent, asked: 8 });
    expect(told).toEqual([
      { type: 'series', key: 'k', asked: 7, result: { runs: [{ runId: 'a' }] }, failure: null },
      { type: 'series', key: 'k', asked: 8, result: null, failure: 'no disk' },
    ]);
  });

  test('asks the server for outcomes, of no more runs at once than it answers for', async () => {
    const { session, told, asked, host } = compare();
    const runIds = Array.from({ length: 51 }, (_, index) => index.toString());
    await session.answerOutcomes({ type: 'askOutcomes', asked: 3, runIds });
    expect(asked.map((entry) => (entry as [string, { runIds: string[] }])[1].runIds.length)).toEqual([25, 25, 1]);
    host.failure = 'no disk';
    await session.answerOutcomes({ type: 'askOutcomes', asked: 4, runIds: ['a'] });
    expect(told).toEqual([
      { type: 'outcomes', asked: 3, runs: runIds.map((runId) => ({ runId })), failure: null },
      { type: 'outcomes', asked: 4, runs: null, failure: 'no disk' },
    ]);
  });

  test('asks for no more runs at once than a server answers for', async () => {
    const { session, told, asked } = compare();
    const runIds = Array.from({ length: 501 }, (_, index) => index.toString());
    const query = { tags: ['loss'], from: null, to: null, pixels: 9, rowsPerBucket: null, smoothing: 0 };
    await session.answerSeries({ type: 'askSeries', key: 'k', asked: 1, runIds, ...query });
    expect(asked.map((entry) => (entry as [string, { runIds: string[] }])[1].runIds.length)).toEqual([250, 250, 1]);
    expect(told.at(-1)).toMatchObject({ result: { runs: runIds.map((runId) => ({ runId })) } });
  });
});

describe('the panel of a sweep', () => {
  const sweepOf = (...cells: readonly (readonly [string | null, RunStatus])[]): SweepSummary => ({
    ...{ id: 's', name: 'S', folder: '/s', experimentFile: null, createdMs: 1, status: 'working', place: null },
    cells: cells.map(([runId, status], index) => ({
      ...{ name: `relu · seed ${index}`, values: { act: 'relu', seed: String(index) }, identity: String(index) },
      ...{ runId, status, message: null, step: 0, steps: 1, cleanAccuracy: null, robustAccuracy: null },
    })),
  });
  const source = { sweepId: 's' };

  test('is told the sweep, then the runs that it has by the names and values of their cells; no plan is read', async () => {
    const sweep = sweepOf(['a', 'finished'], [null, 'waiting']);
    const { session, told, asked } = compare({ source, sweep });
    await session.ready();
    await new Promise(setImmediate);
    expect(told.slice(1)).toEqual([
      { type: 'sweep', sweep, bytes: null },
      {
        ...{ type: 'runs', view: { tab: 'table' }, isOwnView: true },
        runs: [{ run: runSummary({ id: 'a' }), settings: { act: 'relu', seed: 0 }, cell: 'relu · seed 0' }],
      },
      { type: 'sweep', sweep, bytes: 2000 },
    ]);
    expect(asked).toEqual([['sweep/size', { sweepId: 's' }]]);
  });

  test('follows it while it works: its cells, its runs when there are more, its disk when one has ended', async () => {
    const { session, told, asked, host, sweepChanges } = compare({ source, sweep: sweepOf([null, 'waiting']) });
    await session.ready();
    await new Promise(setImmediate);
    const next = async (sweep: SweepSummary) => {
      host.sweep = sweep;
      const before = told.length;
      sweepChanges.fire();
      await new Promise(setImmediate);
      return told.slice(before).map(({ type }) => type);
    };
    expect(await next(sweepOf([null, 'waiting']))).toEqual([]);
    expect(await next(sweepOf(['a', 'training']))).toEqual(['sweep', 'runs']);
    host.known.push('c');
    expect(await next(sweepOf(['a', 'evaluating']))).toEqual(['sweep']);
    expect(asked).toHaveLength(1);
    expect(await next(sweepOf(['a', 'finished']))).toEqual(['sweep', 'sweep']);
    expect(told.at(-1)).toMatchObject({ bytes: 3000 });
    session.hide();
    expect(await next(sweepOf(['a', 'failed']))).toEqual([]);
  });

  test('says that the sweep is gone', async () => {
    const { session, told } = compare({ source });
    await session.ready();
    expect(told.at(-1)).toEqual({ type: 'failed', message: 'This sweep is not there any more.' });
  });
});

test('what a page saved is taken for a set of runs or a sweep, and nothing else is', () => {
  expect(comparedSourceIn({ runIds: ['a', 7] })).toEqual({ runIds: ['a'] });
  expect(comparedSourceIn({ sweepId: 's' })).toEqual({ sweepId: 's' });
  for (const state of [null, 'x', {}, { runIds: [] }, { sweepId: 3 }]) expect(comparedSourceIn(state)).toBeNull();
});

test('runs chosen in the tree are compared, of experiments all, each once, and nothing else', () => {
  const run = (id: string) => ({ type: 'run', run: runSummary({ id }) });
  const experiment = { type: 'experiment', runs: [run('a'), run('b')] };
  expect(runIdsOf([run('b'), experiment, run('c'), 'd', null, { type: 'other' }])).toEqual(['b', 'a', 'c', 'd']);
});
