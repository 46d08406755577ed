// What one client is told unasked, and when it is let go: by a socket without a wire, with timers that the test turns.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { protocolVersion } from '../../server/protocol/messages.ts';
import type { Notifications } from '../../server/protocol/messages.ts';
import type { Row } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import type { RequestContext } from '../../server/rpc/requests.ts';
import { Session } from '../../server/rpc/session.ts';
import { FakeSocket } from './fakeSocket.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';

const allowedBytes = 32 * 1024 * 1024;

function connect(change: Partial<RequestContext> = {}) {
  const socket = new FakeSocket();
  const log: string[] = [];
  const rows: Row[] = [];
  const reader = {
    rows: (_run: RunSummary, cursor: number) => rows.filter(({ seq }) => seq > cursor),
    lastSeq: () => rows.at(-1)?.seq ?? 0,
    seek: () => Promise.resolve(),
  };
  const context = {
    serverVersion: '0',
    runsFolder: '/runs',
    supervisor: { get: (id: string) => summary({ id }) },
    reader,
    services: scriptedServerOptions('').services,
    isLooking: false,
    end: () => {},
    ...change,
  } as unknown as RequestContext;
  const session = new Session(socket.asSocket, context, (line) => log.push(line));
  return { socket, session, log, rows };
}

async function greet(socket: FakeSocket): Promise<void> {
  socket.receive({ jsonrpc: '2.0', id: 0, method: 'server/hello', params: { protocolVersion, client: 'test' } });
  await settle();
  expect(socket.sent).toMatchObject([{ id: 0, result: { protocolVersion } }]);
  socket.frames.length = 0;
  socket.take();
}

/** Every message on its way has been handled: that takes turns of the event loop, but no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function connected(change: Partial<RequestContext> = {}) {
  const made = connect(change);
  await greet(made.socket);
  return made;
}

function summary(change: Partial<RunSummary>): RunSummary {
  return {
    id: 'a',
    status: 'training',
    step: 0,
    message: null,
    device: null,
    checkpoints: [],
    ...change,
  } as RunSummary;
}

/** What it was told unasked: run, status and step, or run and rows. */
async function told(socket: FakeSocket): Promise<unknown[][]> {
  await settle();
  return socket.sent.flatMap(({ method, params }): unknown[][] => {
    if (method === 'run/progressed') {
      const { runId, rows } = params as Notifications['run/progressed'];
      return [[runId, rows.map(({ seq }) => seq)]];
    }
    if (method !== 'run/changed') return [];
    const { run, isDeleted } = params as Notifications['run/changed'];
    return [[run.id, run.status, run.step, ...(isDeleted ? ['deleted'] : [])]];
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  vi.advanceTimersByTime(1000);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a client', () => {
  it('that does not greet is told nothing, and let go after a minute', async () => {
    const { socket, session, log } = connect();
    session.runChanged(summary({}));
    vi.advanceTimersByTime(59_999);
    expect(await told(socket)).toEqual([]);
    expect([socket.isTerminated, log]).toEqual([false, []]);
    vi.advanceTimersByTime(1);
    expect([socket.isTerminated, log]).toEqual([true, ['a client is let go: it did not greet']]);
  });

  it('that takes nothing for a minute while something waits for it is let go', async () => {
    const { socket, log } = await connected();
    vi.advanceTimersByTime(600_000);
    expect(socket.isTerminated).toBe(false);
    socket.bufferedAmount = 1;
    vi.advanceTimersByTime(55_000);
    socket.bufferedAmount = 0;
    vi.advanceTimersByTime(5000);
    socket.bufferedAmount = 1;
    vi.advanceTimersByTime(59_999);
    expect([socket.isTerminated, log]).toEqual([false, []]);
    vi.advanceTimersByTime(1);
    expect([socket.isTerminated, log]).toEqual([true, ['a client is let go: it took nothing for a minute']]);
  });

  it('that takes a message now and then is kept, however much waits', async () => {
    const { socket, session } = await connected();
    socket.bufferedAmount = 1;
    for (let step = 1; step <= 5; step++) {
      session.runChanged(summary({ step, status: step % 2 === 0 ? 'paused' : 'training' }));
      vi.advanceTimersByTime(55_000);
      socket.take();
    }
    expect(socket.isTerminated).toBe(false);
    vi.advanceTimersByTime(55_000);
    expect(socket.isTerminated).toBe(false);
    vi.advanceTimersByTime(5000);
    expect(socket.isTerminated).toBe(true);
  });

  it('may send messages of 32 levels and 100,000 values, and none with more', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    for (const [params, isAllowed] of [
      [nested(31), true],
      [nested(32), false],
      // The message, its four names and three values, and the list.
      [Array.from({ length: 99_991 }, () => 0), true],
      [Array.from({ length: 99_992 }, () => 0), false],
    ] as const) {
      const { socket, log } = await connected();
      socket.receive({ jsonrpc: '2.0', id: 1, method: 'run/list', params });
      await settle();
      expect(socket.closes.map(([code]) => code)).toEqual(isAllowed ? [] : [1007]);
      expect(log).toEqual(isAllowed ? [] : [expect.stringMatching(/^client: it (is nested deeper|holds more) than/)]);
    }
  });

  it('hears of progress twice a second, the newest alone, and at once where it hears of a run first', async () => {
    const { socket, session } = await connected();
    session.runChanged(summary({ step: 1 }));
    session.runChanged(summary({ id: 'b', step: 7 }));
    expect(await told(socket)).toEqual([
      ['a', 'training', 1],
      ['b', 'training', 7],
    ]);
    for (let step = 2; step <= 6; step++) {
      session.runChanged(summary({ step }));
      vi.advanceTimersByTime(99);
    }
    expect(await told(socket)).toHaveLength(2);
    vi.advanceTimersByTime(4);
    expect(await told(socket)).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect((await told(socket)).slice(2)).toEqual([['a', 'training', 6]]);
    vi.advanceTimersByTime(5000);
    expect(await told(socket)).toHaveLength(3);
    session.runChanged(summary({ step: 7 }));
    vi.advanceTimersByTime(1);
    expect((await told(socket)).slice(3)).toEqual([['a', 'training', 7]]);
  });

  it.each([
    ['status', { status: 'paused' }],
    ['message', { message: 'The disk is full.' }],
    ['device', { device: 'cpu' }],
    ['checkpoints', { checkpoints: [{}] as never }],
  ] as const)('hears at once of another %s, and then not again', async (_, change) => {
    const { socket, session } = await connected();
    session.runChanged(summary({ step: 1 }));
    session.runChanged(summary({ step: 2 }));
    session.runChanged(summary({ step: 3, ...change }));
    expect((await told(socket)).map(([, , step]) => step)).toEqual([1, 3]);
    vi.advanceTimersByTime(5000);
    expect(await told(socket)).toHaveLength(2);
    session.runChanged(summary({ step: 4, ...change }));
    session.runChanged(summary({ step: 5, ...change }));
    vi.advanceTimersByTime(1);
    expect((await told(socket)).map(([, , step]) => step)).toEqual([1, 3, 5]);
  });

  it('for whom more than 32 MiB wait hears the latest alone, once it has taken them', async () => {
    const { socket, session } = await connected();
    session.runChanged(summary({ step: 1 }));
    socket.bufferedAmount = allowedBytes + 1;
    session.runChanged(summary({ step: 2, status: 'paused' }));
    session.runChanged(summary({ id: 'b', step: 1 }));
    for (let look = 0; look < 10; look++) vi.advanceTimersByTime(500);
    session.runChanged(summary({ id: 'b', step: 2 }));
    session.runChanged(summary({ step: 3, status: 'stopped' }));
    vi.advanceTimersByTime(499);
    expect(await told(socket)).toHaveLength(1);
    socket.bufferedAmount = allowedBytes;
    vi.advanceTimersByTime(500);
    expect((await told(socket)).slice(1).sort()).toEqual([
      ['a', 'stopped', 3],
      ['b', 'training', 2],
    ]);
    session.runChanged(summary({ step: 4, status: 'training' }));
    expect((await told(socket)).slice(3)).toEqual([['a', 'training', 4]]);
    vi.advanceTimersByTime(5000);
    expect(await told(socket)).toHaveLength(4);
  });

  it('is sent the rows that it follows, those that come again, and none of a run that was deleted', async () => {
    const { socket, session, rows } = await connected();
    rows.push({ seq: 1 } as Row, { seq: 2 } as Row);
    socket.receive({ jsonrpc: '2.0', id: 1, method: 'run/subscribe', params: { runId: 'a', cursor: 0 } });
    await settle();
    vi.advanceTimersByTime(200);
    expect(await told(socket)).toEqual([['a', [1, 2]]]);
    rows.pop();
    session.runCut('a');
    rows.push({ seq: 2 } as Row);
    session.runChanged(summary({ step: 2 }));
    vi.advanceTimersByTime(200);
    expect((await told(socket)).slice(1)).toEqual([
      ['a', 'training', 2],
      ['a', [2]],
    ]);
    // Not while it does not take them.
    socket.bufferedAmount = allowedBytes;
    rows.push({ seq: 3 } as Row);
    session.runChanged(summary({ step: 3 }));
    vi.advanceTimersByTime(200);
    expect(await told(socket)).toHaveLength(3);
    session.runDeleted(summary({ step: 3 }));
    socket.bufferedAmount = 0;
    vi.advanceTimersByTime(5000);
    expect((await told(socket)).slice(3)).toEqual([['a', 'training', 3, 'deleted']]);
    // One that takes its name is new.
    session.runChanged(summary({ step: 1 }));
    expect((await told(socket)).slice(4)).toEqual([['a', 'training', 1]]);
  });

  it('that is gone is sent nothing, and what it waited for is given up', async () => {
    for (const end of ['close', 'its socket'] as const) {
      const { services } = scriptedServerOptions('');
      const signals: AbortSignal[] = [];
      const inspect = (_args: [file: string], signal?: AbortSignal) => {
        signals.push(signal!);
        return new Promise<never>(() => {});
      };
      const { socket, session, rows } = await connected({
        services: { ...services, checkpoints: { ...services.checkpoints, inspect } },
      });
      rows.push({ seq: 1 } as Row);
      for (const [id, method, params] of [
        [1, 'checkpoint/inspect', { file: '/x' }],
        [2, 'run/subscribe', { runId: 'a', cursor: 0 }],
      ] as const)
        socket.receive({ jsonrpc: '2.0', id, method, params });
      await settle();
      session.runChanged(summary({ step: 1 }));
      session.runChanged(summary({ step: 2 }));
      expect(vi.getTimerCount()).toBe(3);
      if (end === 'close') session.close();
      else socket.emit('close');
      expect(vi.getTimerCount()).toBe(0);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      expect(socket.closes).toHaveLength(end === 'close' ? 1 : 0);
    }
  });

  it('whose socket is closing is sent nothing', async () => {
    const { socket, session, log } = await connected();
    socket.readyState = 2;
    session.runChanged(summary({}));
    expect(await told(socket)).toEqual([]);
    expect(log).toEqual([]);
  });

  it('that can not be told of something is named in the log', async () => {
    const { socket, session, log } = await connected();
    session.runChanged(summary({ message: 'x'.repeat(60_000_001) }));
    expect(await told(socket)).toEqual([]);
    expect(log.at(-1)).toMatch(/^client: run\/changed was not sent: Error: A message of \d+ bytes is too large\.$/);
    socket.emit('error', new Error('reset'));
    expect(log.at(-1)).toBe('client: reset');
  });
});
