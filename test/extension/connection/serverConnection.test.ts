import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc/node';
import { RequestFailure } from '../../../extension/connection/requestFailure.ts';
import type { ServerConnectionOptions } from '../../../extension/connection/serverConnection.ts';
import { ServerConnection } from '../../../extension/connection/serverConnection.ts';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import type { ConnectionState } from '../../../server/protocol/panel.ts';
import type { Row } from '../../../server/protocol/records.ts';
import { runSummary } from '../runSummaries.ts';
import type { FakeServer } from './fakeServer.ts';
import { rowsFrom, startFakeServer } from './fakeServer.ts';

describe('finding a server', () => {
  test('opens the lock’s port with its token and no origin, and says hello first', async () => {
    const server = await fakeServer();
    const hello = await connectionTo(server).connect();
    expect(hello.serverVersion).toBe('9.9.9');
    expect(server.handshakes).toHaveLength(1);
    expect(server.handshakes[0]).toMatchObject({ authorization: 'Bearer secret' });
    expect(server.handshakes[0]).not.toHaveProperty('origin');
    expect(server.requests).toEqual([{ method: 'server/hello', params: { protocolVersion: 1, client: 'test' } }]);
  });

  test('starts one where there is no lock', async () => {
    const server = await fakeServer();
    let starts = 0;
    const connection = connectionTo(server, {
      readLock: () => Promise.resolve(null),
      startServer: () => {
        starts++;
        return Promise.resolve(server.lock);
      },
    });
    await Promise.all([connection.connect(), connection.connect()]);
    expect(starts).toBe(1);
  });

  test('starts one where nobody listens at the lock’s port', async () => {
    const gone = await fakeServer();
    await gone.close();
    const server = await fakeServer();
    const connection = connectionTo(gone, { startServer: () => Promise.resolve(server.lock) });
    await connection.connect();
    expect(server.requests).toHaveLength(1);
  });

  test('starts one where the lock’s token is refused', async () => {
    const other = await fakeServer({ token: 'another' });
    const server = await fakeServer();
    const connection = connectionTo(other, {
      readLock: () => Promise.resolve({ ...other.lock, token: 'stale' }),
      startServer: () => Promise.resolve(server.lock),
    });
    await connection.connect();
    expect(other.requests).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  test('does not start one beside a server of another version, but says so', async () => {
    const server = await fakeServer({ version: 2 });
    const connection = connectionTo(server);
    await expect(connection.connect()).rejects.toMatchObject({
      name: 'RequestFailure',
      code: requestErrorCodes.versionMismatch,
    });
    expect(connection.state).toMatchObject({ status: 'lost' });
  });

  test('starts one where the server of the lock says nothing for as long as it may', async () => {
    turnTimers();
    const silent = await fakeServer({ answers: { 'server/hello': () => new Promise(() => undefined) } });
    const server = await fakeServer();
    let starts = 0;
    const connection = connectionTo(silent, {
      handshakeTimeoutMs: 30_000,
      startServer: () => {
        starts++;
        return Promise.resolve(server.lock);
      },
    });
    const connected = connection.connect();
    await silent.received('server/hello');
    vi.advanceTimersByTime(29_999);
    expect(starts).toBe(0);
    vi.advanceTimersByTime(1);
    await connected;
    expect(starts).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test('that can not be started is told with its reason', async () => {
    const server = await fakeServer();
    const connection = connectionTo(server, {
      readLock: () => Promise.resolve(null),
      startServer: () => Promise.reject(new Error('the folder is locked')),
    });
    await expect(connection.connect()).rejects.toThrow('the folder is locked');
    expect(connection.state).toEqual({ status: 'lost', message: 'the folder is locked' });
  });
});

describe('a server that takes long', () => {
  test('to answer once it is started is waited for, which is said once', async () => {
    turnTimers();
    const ready = Promise.withResolvers<void>();
    const server = await fakeServer();
    const hello = server.answers['server/hello'];
    server.answers['server/hello'] = async (params) => {
      await ready.promise;
      return hello?.(params);
    };
    const { patience, told } = slowAfter(10_000);
    const starting = { readLock: () => Promise.resolve(null), startServer: () => Promise.resolve(server.lock) };
    const connection = connectionTo(server, { patience, handshakeTimeoutMs: 30_000, ...starting });
    const connected = connection.connect();
    await server.received('server/hello');
    vi.advanceTimersByTime(9999);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(3_600_000);
    expect(told).toMatchObject([{ sentence: expect.stringMatching(/^Still waiting/) as string, isShown: true }]);
    ready.resolve();
    expect(await connected).toMatchObject({ serverVersion: '9.9.9' });
    expect(told).toMatchObject([{ isShown: false }]);
  });

  test('is not spoken of where it does not', async () => {
    turnTimers();
    const { patience, told } = slowAfter(10_000);
    await connectionTo(await fakeServer(), { patience }).connect();
    vi.advanceTimersByTime(3_600_000);
    expect(told).toEqual([]);
  });

  test('to start is left when a person says so', async () => {
    turnTimers();
    const { patience, told } = slowAfter(10_000);
    const hanging = neverStarts();
    const connection = connectionTo(await fakeServer(), { patience, ...hanging.options });
    const connected = connection.connect().catch((error: unknown) => error);
    await hanging.asked;
    vi.advanceTimersByTime(10_000);
    told[0]?.cancel();
    expect(await connected).toMatchObject({ message: 'it was cancelled before it was done' });
    expect(connection.state).toMatchObject({ status: 'lost' });
    expect(told).toMatchObject([{ isShown: false }]);
  });

  test('to answer is left when a person says so, and none is started beside it', async () => {
    turnTimers();
    const silent = await fakeServer({ answers: { 'server/hello': () => new Promise(() => undefined) } });
    const { patience, told } = slowAfter(10_000);
    const connection = connectionTo(silent, { patience });
    const connected = connection.connect().catch((error: unknown) => error);
    await silent.received('server/hello');
    vi.advanceTimersByTime(10_000);
    told[0]?.cancel();
    expect(await connected).toMatchObject({ message: 'it was cancelled before it was done' });
  });

  test('to come back is left for good when a person says so', async () => {
    turnTimers();
    const server = await fakeServer();
    const { patience, told } = slowAfter(10_000);
    const connection = connectionTo(server, { patience, retryDelaysMs: [0, 0, 0] });
    await connection.connect();
    server.answers['server/hello'] = () => new Promise(() => undefined);
    const lost = nextState(connection, 'lost');
    server.drop();
    await lost;
    vi.advanceTimersByTime(0);
    await server.received('server/hello', 2);
    vi.advanceTimersByTime(10_000);
    const left = nextState(connection, 'lost', 'it was cancelled before it was done');
    told[0]?.cancel();
    await left;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
    expect(told).toHaveLength(1);
  });

  test('to start is not waited for by who restarts it, nor when the window closes', async () => {
    for (const leave of ['restartServer', 'dispose'] as const) {
      const server = await fakeServer();
      const hanging = neverStarts();
      let readLock = hanging.options.readLock;
      const options = { ...hanging.options, readLock: () => readLock() };
      const connection = connectionTo(server, options);
      const connected = connection.connect().catch((error: unknown) => error);
      await hanging.asked;
      readLock = () => Promise.resolve(server.lock);
      await connection[leave]();
      expect(await connected).toBeInstanceOf(Error);
      expect(connection.state.status).toBe(leave === 'dispose' ? 'stopped' : 'connected');
    }
  });

  test('to end is waited for, which is said; given up, the connection is lost with the reason', async () => {
    turnTimers();
    const server = await fakeServer();
    const { patience, told } = slowAfter(10_000);
    const asked = Promise.withResolvers<void>();
    const connection = connectionTo(server, {
      patience,
      endServer: (_lock, signal) => {
        asked.resolve();
        return aborted(signal);
      },
    });
    await connection.connect();
    const restarted = connection.restartServer().catch((error: unknown) => error);
    await asked.promise;
    vi.advanceTimersByTime(3_600_000);
    expect(told).toMatchObject([{ sentence: expect.stringContaining('saves its runs') as string, isShown: true }]);
    told[0]?.cancel();
    expect(await restarted).toBeInstanceOf(Error);
    expect(connection.state).toEqual({ status: 'lost', message: 'it was cancelled before it was done' });
  });
});

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

describe('restarting the server', () => {
  test('ends the one of the lock before it connects to a new one', async () => {
    const first = await fakeServer();
    const second = await fakeServer();
    let lock: FakeServer['lock'] | null = first.lock;
    const ended: number[] = [];
    const connection = connectionTo(first, {
      readLock: () => Promise.resolve(lock),
      endServer: ({ port }) => {
        ended.push(port);
        lock = null;
        return first.close();
      },
      startServer: () => Promise.resolve(second.lock),
    });
    await connection.connect();
    await connection.restartServer();
    expect(ended).toEqual([first.lock.port]);
    expect(connection.state).toEqual({ status: 'connected' });
    expect(second.requests.map(({ method }) => method)).toEqual(['server/hello']);
  });
});

async function fakeServer(options?: Parameters<typeof startFakeServer>[0]): Promise<FakeServer> {
  const server = await startFakeServer(options);
  let isOpen = true;
  const { close } = server;
  server.close = async () => {
    if (isOpen) await close();
    isOpen = false;
  };
  onTestFinished(() => server.close());
  return server;
}

/** The longest that a timer takes. */
const never = 2 ** 31 - 1;

/** The test turns the clock of what waits; sockets go on by themselves. */
function turnTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

function slowAfter(slowMs: number) {
  const told: { sentence: string; isShown: boolean; cancel: () => void }[] = [];
  const tellSlow = (sentence: string, cancel: () => void) => {
    const one = { sentence, isShown: true, cancel };
    told.push(one);
    return () => {
      one.isShown = false;
    };
  };
  return { told, patience: { slowMs, tellSlow } };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

/** There is no server, and the one that is started never listens. */
function neverStarts() {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const options = {
    readLock: (): Promise<FakeServer['lock'] | null> => Promise.resolve(null),
    startServer: (signal: AbortSignal) => {
      resolve();
      return aborted(signal);
    },
  };
  return { options, asked };
}

function connectionTo(server: FakeServer, options: Partial<ServerConnectionOptions> = {}): ServerConnection {
  const connection = new ServerConnection({
    client: 'test',
    readLock: () => Promise.resolve(server.lock),
    startServer: () => Promise.reject(new Error('there is a server already')),
    endServer: () => Promise.resolve(),
    retryDelaysMs: [],
    handshakeTimeoutMs: never,
    patience: slowAfter(never).patience,
    log: () => undefined,
    ...options,
  });
  onTestFinished(() => {
    connection.dispose();
  });
  return connection;
}

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

function nextState(connection: ServerConnection, status: ConnectionState['status'], message?: string): Promise<void> {
  return new Promise((resolve) => {
    const listener = connection.onDidChangeState((state) => {
      if (state.status !== status || (message !== undefined && !('message' in state && state.message === message)))
        return;
      listener.dispose();
      resolve();
    });
  });
}

function subscriptions(server: FakeServer): unknown[] {
  return server.requests
    .filter(({ method }) => method !== 'server/hello')
    .map(({ method, params }) => [method, params]);
}
