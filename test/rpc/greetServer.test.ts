// Whether a lock's server lives, asked over the wire, with a clock that the test turns.
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { greetServer } from '../../server/rpc/greetServer.ts';
import { protocolVersion } from '../../server/protocol/messages.ts';
import { startFakeServer } from '../extension/connection/fakeServer.ts';

const lock = { pid: 1, port: 1, token: 'secret', version: '0', startedMs: 0 };
const patienceMs = 45_000;

function turnTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Listens; `onConnection` does with who connects what it likes. */
async function listen(onConnection: (socket: net.Socket) => void): Promise<number> {
  const door = net.createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  onTestFinished(() => void door.close());
  return (door.address() as net.AddressInfo).port;
}

async function fakeServer(...options: Parameters<typeof startFakeServer>) {
  const server = await startFakeServer(...options);
  onTestFinished(() => server.close());
  return server;
}

describe('the server of a lock', () => {
  it('that answers at the end of the patience, in whatever version, answers', async () => {
    turnTimers();
    for (const version of [protocolVersion, protocolVersion + 1]) {
      const ready = Promise.withResolvers<unknown>();
      const server = await fakeServer({ answers: { 'server/hello': () => ready.promise } });
      const asked = greetServer(server.lock, patienceMs);
      await server.received('server/hello');
      vi.advanceTimersByTime(patienceMs - 1);
      ready.resolve({ protocolVersion: version, serverVersion: '9', runsFolder: '/runs', pid: 1 });
      expect(await asked).toBe('answers');
    }
  });

  it('that says nothing is silent when the patience ends, not before', async () => {
    turnTimers();
    const server = await fakeServer({ answers: { 'server/hello': () => new Promise(() => undefined) } });
    let answer: string | undefined;
    const asked = greetServer(server.lock, patienceMs).then((given) => (answer = given));
    await server.received('server/hello');
    vi.advanceTimersByTime(patienceMs - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answer).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(await asked).toBe('silent');
  });

  it('that turns us away at once, as one without handles does, is silent for the whole of the patience', async () => {
    turnTimers();
    const turnedAway = Promise.withResolvers<void>();
    const port = await listen((socket) => {
      socket.resetAndDestroy();
      socket.once('close', () => {
        turnedAway.resolve();
      });
    });
    let answer: string | undefined;
    const asked = greetServer({ ...lock, port }, patienceMs).then((given) => (answer = given));
    await turnedAway.promise;
    vi.advanceTimersByTime(patienceMs - 1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(answer).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(await asked).toBe('silent');
  });

  it('is gone where nobody listens, or whoever listens does not know the token', async () => {
    const server = await fakeServer({ token: 'another' });
    expect(await greetServer({ ...lock, port: server.lock.port }, patienceMs)).toBe('gone');
    const closed = net.createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as net.AddressInfo;
    closed.close();
    expect(await greetServer({ ...lock, port }, patienceMs)).toBe('gone');
  });
});
