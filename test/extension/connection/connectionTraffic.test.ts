// What goes over a connection: requests, rows, and what is done when it is lost.
import { describe, expect, test } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc/node';
import { RequestFailure } from '../../../extension/connection/requestFailure.ts';
import type { ServerConnection } from '../../../extension/connection/serverConnection.ts';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import type { Row } from '../../../server/protocol/records.ts';
import { runSummary } from '../runSummaries.ts';
import { connectionTo, fakeServer, nextState } from './connections.ts';
import type { FakeServer } from './fakeServer.ts';
import { rowsFrom } from './fakeServer.ts';

describe('a request', () => {
  test('brings numbers that are not finite and typed arrays as they are', async () => {
    const contents = { loss: [Number.NaN, -Infinity], alpha: new Float32Array([1, Number.NaN]) };
    const server = await fakeServer({ answers: { 'run/snapshot': () => contents } });
    expect(await connectionTo(server).request('run/snapshot', { runId: 'a' })).toEqual(contents);
  });

  test('that is refused ends in the server’s sentence, code, issues and method', async () => {
    const issues = [{ path: 'name' }];
    const server = await fakeServer({
      answers: {
        'run/start': () => {
          throw new ResponseError(requestErrorCodes.badExperiment, 'The experiment has a mistake.', { issues });
        },
      },
    });
    const started = connectionTo(server).request('run/start', { text: '', file: null });
    await expect(started).rejects.toMatchObject({
      message: 'The experiment has a mistake.',
      code: requestErrorCodes.badExperiment,
      method: 'run/start',
      isRetryable: false,
      issues,
    });
  });

  test('that is pending when the connection is lost is rejected with its method’s name', async () => {
    const server = await fakeServer({ answers: { 'run/start': () => new Promise(() => undefined) } });
    const started = connectionTo(server).request('run/start', { text: '', file: null });
    await server.received('run/start');
    server.drop();
    const failure: unknown = await started.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestFailure);
    expect((failure as RequestFailure).message).toContain('"run/start"');
    expect(failure).toMatchObject({ method: 'run/start', isRetryable: true });
  });

  test('ends too when a message cannot be understood', async () => {
    const server = await fakeServer({
      answers: {
        'run/list': () => {
          server.sendRaw(new Uint8Array([0xc1]));
          return new Promise(() => undefined);
        },
      },
    });
    await expect(connectionTo(server).request('run/list', {})).rejects.toThrow('"run/list"');
  });

  test('after a loss connects again', async () => {
    const server = await fakeServer({ answers: { 'run/list': () => ({ runs: [] }) } });
    const connection = connectionTo(server, { retryDelaysMs: [] });
    await connection.connect();
    const lost = nextState(connection, 'lost');
    server.drop();
    await lost;
    expect(await connection.request('run/list', {})).toEqual({ runs: [] });
  });
});

describe('a lost connection', () => {
  test('comes back by itself and subscribes from where each run’s rows ended', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server, { retryDelaysMs: [0] });
    await connection.connect();
    const { rows } = subscribe(connection, 'a', 3);
    await server.received('run/subscribe');
    const arrived = rowArrived(rows, 5);
    server.notify('run/progressed', { runId: 'a', rows: rowsFrom(4, 5) });
    await arrived;

    server.drop();
    await server.received('run/subscribe', 2);
    const replayed = rowArrived(rows, 7);
    server.notify('run/progressed', { runId: 'a', rows: rowsFrom(5, 7) });
    await replayed;
    expect(subscriptions(server)).toEqual([
      ['run/subscribe', { runId: 'a', cursor: 3 }],
      ['run/subscribe', { runId: 'a', cursor: 5 }],
    ]);
    expect(rows.map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
  });

  test('stays lost with its reason when every attempt fails', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server, {
      retryDelaysMs: [0, 0],
      startServer: () => Promise.reject(new Error('no space left on the disk')),
    });
    await connection.connect();
    const reason = nextState(connection, 'lost', 'no space left on the disk');
    await server.close();
    await reason;
    await expect(connection.request('run/list', {})).rejects.toThrow('no space left on the disk');
  });

  test('tells a run’s changes only to who listens', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server);
    await connection.connect();
    const changed = new Promise((resolve) => connection.onRunChanged(resolve));
    server.notify('run/changed', { run: runSummary(), isDeleted: false });
    expect(await changed).toEqual({ run: runSummary(), isDeleted: false });
    const progressed = new Promise((resolve) => connection.onDatasetProgressed(resolve));
    const progress = { lookId: 'l', what: 'reading', done: 1, total: null };
    server.notify('dataset/progressed', progress);
    expect(await progressed).toEqual(progress);
  });
});

describe('rows', () => {
  test('reach two subscribers of one run once each, each from its own cursor', async () => {
    const server = await fakeServer();
    server.answers['run/subscribe'] = ({ runId, cursor }) => {
      server.notify('run/progressed', { runId, rows: rowsFrom(cursor + 1, 10) });
      return {};
    };
    const connection = connectionTo(server);
    await connection.connect();
    const late = subscribe(connection, 'a', 8);
    await rowArrived(late.rows, 10);
    const early = subscribe(connection, 'a', 2);
    await rowArrived(early.rows, 10);
    expect(late.rows.map(({ seq }) => seq)).toEqual([9, 10]);
    expect(early.rows.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('of an earlier subscription never reach one that begins before them', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server);
    await connection.connect();
    const late = subscribe(connection, 'a', 8);
    await server.received('run/subscribe');
    server.answers['run/unsubscribe'] = ({ runId }) => {
      // Still under the first subscription: rows that the second one must get only after 3 … 9.
      server.notify('run/progressed', { runId, rows: rowsFrom(9, 10) });
      return {};
    };
    server.answers['run/subscribe'] = ({ runId, cursor }) => {
      server.notify('run/progressed', { runId, rows: rowsFrom(cursor + 1, 11) });
      return {};
    };
    const early = subscribe(connection, 'a', 2);
    await rowArrived(early.rows, 11);
    expect(early.rows.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(late.rows.map(({ seq }) => seq)).toEqual([9, 10, 11]);
  });

  test('may leave out positions, as the log of a resumed run does', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server);
    await connection.connect();
    const { rows } = subscribe(connection, 'a', 3);
    await server.received('run/subscribe');
    const arrived = rowArrived(rows, 9);
    server.notify('run/progressed', { runId: 'a', rows: rowsFrom(9, 9) });
    await arrived;
    expect(rows.map(({ seq }) => seq)).toEqual([9]);
  });

  test('are no longer asked for when the last subscriber is gone', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server);
    await connection.connect();
    const one = subscribe(connection, 'a', 0);
    const two = subscribe(connection, 'a', 0);
    await server.received('run/subscribe');
    one.dispose();
    two.dispose();
    await server.received('run/unsubscribe');
    expect(subscriptions(server).at(-1)).toEqual(['run/unsubscribe', { runId: 'a' }]);
  });
});

const progress = new WeakMap<Row[], Set<() => void>>();

function subscribe(connection: ServerConnection, runId: string, cursor: number) {
  const rows: Row[] = [];
  const listeners = new Set<() => void>();
  progress.set(rows, listeners);
  const subscription = connection.subscribe(runId, cursor, (fresh) => {
    rows.push(...fresh);
    for (const listener of listeners) listener();
  });
  return { rows, dispose: () => subscription.dispose() };
}

/** Resolves when the row `seq` has arrived. */
function rowArrived(rows: Row[], seq: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if ((rows.at(-1)?.seq ?? 0) >= seq) resolve();
    };
    progress.get(rows)?.add(check);
    check();
  });
}

function subscriptions(server: FakeServer): unknown[] {
  return server.requests
    .filter(({ method }) => method !== 'server/hello')
    .map(({ method, params }) => [method, params]);
}
