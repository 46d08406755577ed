// How a window finds its server, waits for a slow one, and starts another.
import { describe, expect, test, vi } from 'vitest';
import { requestErrorCodes } from '../../../server/protocol/errors.ts';
import { protocolVersion } from '../../../server/protocol/messages.ts';
import { connectionTo, fakeServer, nextState, slowAfter, turnTimers } from './connections.ts';
import type { FakeServer } from './fakeServer.ts';

describe('finding a server', () => {
  test('opens the lock’s port with its token and no origin, and says hello first', async () => {
    const server = await fakeServer();
    const hello = await connectionTo(server).connect();
    expect(hello.serverVersion).toBe('9.9.9');
    expect(server.handshakes).toHaveLength(1);
    expect(server.handshakes[0]).toMatchObject({ authorization: 'Bearer secret' });
    expect(server.handshakes[0]).not.toHaveProperty('origin');
    expect(server.requests).toEqual([{ method: 'server/hello', params: { protocolVersion, client: 'test' } }]);
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
    const server = await fakeServer({ version: protocolVersion + 1 });
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
