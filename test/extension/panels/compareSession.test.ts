import { Emitter } from 'vscode-jsonrpc/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runIdsOf } from '../../../extension/commands/compareIds.ts';
import { CompareSession } from '../../../extension/panels/compareSession.ts';
import type { RunChange } from '../../../extension/runs/runStore.ts';
import type { ConnectionState, ToCompare } from '../../../server/protocol/panel.ts';
import type { SeriesProgress } from '../../../server/protocol/series.ts';
import { runSummary } from '../runSummaries.ts';

function compare({ known = ['a', 'b'], failure = null as string | null } = {}) {
  const told: ToCompare[] = [];
  const asked: unknown[] = [];
  const states = new Emitter<ConnectionState>();
  const changes = new Emitter<RunChange>();
  const progress = new Emitter<SeriesProgress>();
  const host = { known, failure, refreshed: 0 };
  const session = new CompareSession({
    runIds: ['a', 'b', 'gone'],
    connection: {
      state: { status: 'connected' },
      ...{ onDidChangeState: states.event, onSeriesProgressed: progress.event },
      request: (method: string, params: { runIds: string[] }) => {
        asked.push([method, params]);
        if (host.failure !== null) return Promise.reject(new Error(host.failure));
        return Promise.resolve(
          method === 'run/settings' ? { settings: params.runIds.map((seed) => ({ seed })) } : { runs: [] },
        );
      },
    } as unknown as ConstructorParameters<typeof CompareSession>[0]['connection'],
    store: {
      get: (id) => (host.known.includes(id) ? runSummary({ id }) : undefined),
      refresh: () => {
        host.refreshed++;
        return Promise.resolve();
      },
      onDidChangeRun: changes.event,
    },
    keptView: () => ({ tab: 'table' }),
    post: (message) => told.push(message),
  });
  onTestFinished(() => {
    session.dispose();
  });
  return { session, told, asked, host, states, changes, progress };
}

describe('a comparison', () => {
  test('is told the runs that are there with their settings, and how it was looked at last', async () => {
    const { session, told, asked, host } = compare();
    await session.ready();
    expect(host.refreshed).toBe(1);
    expect(asked).toEqual([['run/settings', { runIds: ['a', 'b'] }]]);
    expect(told.slice(1)).toEqual([
      {
        ...{ type: 'runs', view: { tab: 'table' } },
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
      { type: 'series', key: 'k', asked: 7, result: { runs: [] }, failure: null },
      { type: 'series', key: 'k', asked: 8, result: null, failure: 'no disk' },
    ]);
  });
});

test('runs chosen in the tree are compared, of experiments all, each once, and nothing else', () => {
  const run = (id: string) => ({ type: 'run', run: runSummary({ id }) });
  const experiment = { type: 'experiment', runs: [run('a'), run('b')] };
  expect(runIdsOf([run('b'), experiment, run('c'), 'd', null, { type: 'other' }])).toEqual(['b', 'a', 'c', 'd']);
});
