// What panels are told, over a connection and a store that the test holds in its hands.
import { describe, expect, onTestFinished, test } from 'vitest';
import { Emitter } from 'vscode-jsonrpc/node';
import { DashboardSession } from '../../../extension/panels/dashboardSession.ts';
import { extendTails, monitoredRuns, tailLength, tailsOf } from '../../../extension/panels/monitorModel.ts';
import { MonitorSession } from '../../../extension/panels/monitorSession.ts';
import type { RunChange } from '../../../extension/runs/runStore.ts';
import type { ConnectionState, ToDashboard, ToMonitor } from '../../../server/protocol/panel.ts';
import type { Plan } from '../../../server/protocol/plan.ts';
import type { Row } from '../../../server/protocol/records.ts';
import type { RunSummary } from '../../../server/protocol/run.ts';
import type { RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { applyRow, emptySnapshot } from '../../../server/protocol/snapshot.ts';
import { rowsFrom } from '../connection/fakeServer.ts';
import { runSummary } from '../runSummaries.ts';

describe('a dashboard', () => {
  test('gets a whole snapshot when its page is ready, then the rows after it', async () => {
    const { session, told, host } = dashboard({ rows: rowsFrom(1, 4) });
    await session.ready();
    expect(told.map(({ type }) => type)).toEqual(['connection', 'snapshot']);
    expect(host.subscriptions).toEqual([{ runId: 'run-1', cursor: 4, isOpen: true }]);
    host.deliver(rowsFrom(5, 6));
    expect(told.at(-1)).toEqual({ type: 'rows', runId: 'run-1', rows: rowsFrom(5, 6) });
  });

  test('loses nothing by being hidden: the page that comes back gets a fresh snapshot, and one subscription is open', async () => {
    const { session, told, host } = dashboard({ rows: rowsFrom(1, 4) });
    await session.ready();
    session.hide();
    expect(host.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([]);
    host.rows = rowsFrom(1, 9);
    await session.ready();
    expect(lastSnapshot(told).cursor).toBe(9);
    expect(host.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([{ runId: 'run-1', cursor: 9, isOpen: true }]);
  });

  test('is told of its run alone, and that the run is gone', async () => {
    const { session, told, host } = dashboard({});
    await session.ready();
    const before = told.length;
    host.change({ run: runSummary({ id: 'other' }), before: null, isDeleted: false });
    expect(told).toHaveLength(before);
    host.change({ run: runSummary({ status: 'paused' }), before: runSummary(), isDeleted: false });
    expect(told.at(-1)).toEqual({ type: 'run', run: runSummary({ status: 'paused' }) });
    host.change({ run: runSummary(), before: null, isDeleted: true });
    expect(told.at(-1)).toEqual({ type: 'runGone', runId: 'run-1' });
    expect(host.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([]);
  });

  test('gets a fresh snapshot when its run goes on from a checkpoint, whose log was cut', async () => {
    const { session, told, until, host } = dashboard({ rows: rowsFrom(1, 9) });
    await session.ready();
    host.rows = rowsFrom(1, 5);
    host.change({
      run: runSummary({ status: 'preparing', incarnation: 1 }),
      before: runSummary({ status: 'interrupted', incarnation: 0 }),
      isDeleted: false,
    });
    await until(() => told.filter(({ type }) => type === 'snapshot').length === 2);
    expect(lastSnapshot(told).cursor).toBe(5);
    expect(host.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([{ runId: 'run-1', cursor: 5, isOpen: true }]);
  });

  test('that could not be filled says why, and is filled when the connection is back', async () => {
    const { session, told, until, host } = dashboard({ failure: 'The disk is gone.' });
    await session.ready();
    expect(told.at(-1)).toEqual({ type: 'failed', message: 'The disk is gone.' });
    host.failure = null;
    host.setState({ status: 'connected' });
    await until(() => told.at(-1)?.type === 'snapshot');
  });

  test('that is hidden before its snapshot arrives is sent none', async () => {
    const { session, told } = dashboard({});
    const loading = session.ready();
    session.hide();
    await loading;
    expect(told.map(({ type }) => type)).toEqual(['connection']);
  });
});

describe('the Monitor', () => {
  test('shows all live runs, those at work first; without any, the one that ended last', () => {
    const ended = [
      runSummary({ id: 'a', status: 'finished', updatedMs: 5 }),
      runSummary({ id: 'b', status: 'failed', updatedMs: 9 }),
    ];
    const live = [
      runSummary({ id: 'q', status: 'queued', createdMs: 9 }),
      runSummary({ id: 't', status: 'training', createdMs: 1 }),
    ];
    expect(monitoredRuns([...ended, ...live]).map(({ id }) => id)).toEqual(['t', 'q']);
    const queued = (id: string, updatedMs: number) => runSummary({ id, status: 'queued', createdMs: 9, updatedMs });
    const queue = [queued('s-10', 30), queued('s-2', 30), queued('r', 20), ...live.slice(1)];
    expect(monitoredRuns(queue).map(({ id }) => id)).toEqual(['t', 'r', 's-2', 's-10']);
    expect(monitoredRuns(ended).map(({ id }) => id)).toEqual(['b']);
    const unbegun = runSummary({ id: 'w', status: 'waiting', updatedMs: 99 });
    expect(monitoredRuns([unbegun, ...ended]).map(({ id }) => id)).toEqual(['b']);
    expect(monitoredRuns([unbegun])).toEqual([]);
    expect(monitoredRuns([])).toEqual([]);
  });

  test('keeps the same tails from a snapshot as from its rows', () => {
    const rows = rowsFrom(1, tailLength + 10);
    const whole = emptySnapshot(runSummary(), {} as Plan);
    for (const row of rows) applyRow(whole, row);
    const tails = tailsOf(emptySnapshot(runSummary(), {} as Plan));
    extendTails(tails, rows);
    expect(tails).toEqual(tailsOf(whole));
    expect(tails.loss).toHaveLength(tailLength);
    expect(tails.batchAccuracy).toHaveLength(tailLength);
  });

  test('is told the whole state at once and, after rows, again with them', async () => {
    const { told, until, host } = monitor([runSummary()], rowsFrom(1, 3));
    expect(told).toHaveLength(1);
    await until(() => told.at(-1)?.runs[0]?.loss.length === 3);
    host.deliver(rowsFrom(4, 5));
    await until(() => told.at(-1)?.runs[0]?.loss.length === 5);
  });

  test('follows no run while it is hidden', async () => {
    const { session, told, until, host } = monitor([runSummary()], rowsFrom(1, 3));
    await until(() => told.at(-1)?.runs[0]?.loss.length === 3);
    session.hide();
    expect(host.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([]);
  });

  test('keeps the throughput of a live run while it is hidden', () => {
    const { session, told, host } = monitor([runSummary()], []);
    const change = (run: RunSummary) => {
      host.change({ run, before: runSummary(), isDeleted: false });
    };
    change(runSummary({ imagesPerSecond: 900 }));
    session.hide();
    change(runSummary({ imagesPerSecond: 910 }));
    session.ready();
    expect(told.at(-1)?.runs[0]?.imagesPerSecond).toEqual([900, 910]);
    change(runSummary({ status: 'finished' }));
    session.ready();
    expect(told.at(-1)?.runs[0]?.imagesPerSecond).toEqual([]);
  });
});

function dashboard(options: { rows?: Row[]; failure?: string }) {
  const host = fakeHost(options);
  const { told, post, until } = page<ToDashboard>();
  const session = new DashboardSession({
    runId: 'run-1',
    connection: host.connection as unknown as ConstructorParameters<typeof DashboardSession>[0]['connection'],
    store: host.store,
    post,
  });
  onTestFinished(() => {
    session.dispose();
  });
  return { session, told, until, host };
}

function monitor(runs: RunSummary[], rows: Row[]) {
  const host = fakeHost({ rows });
  const { told, post, until } = page<Extract<ToMonitor, { type: 'state' }>>();
  const session = new MonitorSession({
    connection: host.connection as unknown as ConstructorParameters<typeof MonitorSession>[0]['connection'],
    store: { ...host.store, runs, onDidChange: new Emitter<void>().event },
    post,
    log: (line) => {
      throw new Error(line);
    },
    intervalMs: 0,
  });
  onTestFinished(() => {
    session.dispose();
  });
  session.ready();
  return { session, host, told, until };
}

/** What a page is told, in order; `until` settles with the message that makes it so. */
function page<Message>() {
  const told: Message[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    told,
    post: (message: Message) => {
      told.push(message);
      wake.resolve();
      wake = Promise.withResolvers();
    },
    until: async (isReached: () => boolean) => {
      while (!isReached()) await wake.promise;
    },
  };
}

interface FakeHost {
  rows: Row[];
  failure: string | null;
}

function fakeHost({ rows = [], failure }: { rows?: Row[]; failure?: string }) {
  const states = new Emitter<ConnectionState>();
  const runChanges = new Emitter<RunChange>();
  const subscriptions: { runId: string; cursor: number; isOpen: boolean }[] = [];
  const delivers = new Set<(rows: readonly Row[]) => void>();
  const host = {
    rows,
    failure: failure ?? null,
    subscriptions,
    connection: {
      state: { status: 'connected' },
      onDidChangeState: states.event,
      onSeriesProgressed: new Emitter<never>().event,
      request: () =>
        host.failure === null ? Promise.resolve(snapshotOf(host.rows)) : Promise.reject(new Error(host.failure)),
      subscribe: (runId: string, cursor: number, deliver: (rows: readonly Row[]) => void) => {
        const subscription = { runId, cursor, isOpen: true };
        subscriptions.push(subscription);
        delivers.add(deliver);
        return {
          dispose: () => {
            subscription.isOpen = false;
            delivers.delete(deliver);
          },
        };
      },
    },
    store: { onDidChangeRun: runChanges.event },
    deliver: (fresh: Row[]) => {
      for (const deliver of delivers) deliver(fresh);
    },
    change: (change: RunChange) => runChanges.fire(change) as unknown,
    setState: (state: ConnectionState) => states.fire(state) as unknown,
  } satisfies FakeHost & Record<string, unknown>;
  return host as Omit<typeof host, keyof FakeHost> & FakeHost;
}

function snapshotOf(rows: Row[]): RunSnapshot {
  const snapshot = emptySnapshot(runSummary(), {} as Plan);
  for (const row of rows) applyRow(snapshot, row);
  return snapshot;
}

function lastSnapshot(told: ToDashboard[]): RunSnapshot {
  const message = told.findLast(({ type }) => type === 'snapshot');
  if (message?.type !== 'snapshot') throw new Error('no snapshot was sent');
  return message.snapshot;
}
