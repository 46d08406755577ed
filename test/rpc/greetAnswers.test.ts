// What the server of a lock says when it is asked: by listeners that answer, say nothing, or are none.
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { decode, encode } from '../../server/protocol/codec.ts';
import { protocolVersion } from '../../server/protocol/messages.ts';
import { greetServer } from '../../server/rpc/greetServer.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { startScriptedServer } from './scriptedServer.ts';

const patienceMs = 45_000;
const lock = { pid: process.pid, port: 1, token: 't', version: '0', startedMs: 0 };

/** A server that does this with each message it gets. */
async function listen(answer: (message: { id: number }, send: (answer: object) => void, end: () => void) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const asked: unknown[] = [];
  const gone: Promise<unknown>[] = [];
  server.on('connection', (socket, request) => {
    gone.push(once(socket, 'close'));
    socket.on('message', (data) => {
      const message = decode(new Uint8Array(data as Buffer)) as { id: number; method: string; params: object };
      asked.push([request.headers.authorization, message.method, message.params]);
      answer(
        message,
        (said) => {
          socket.send(encode({ jsonrpc: '2.0', id: message.id, ...said }));
        },
        () => {
          socket.close();
        },
      );
    });
  });
  onTestFinished(() => {
    server.close();
  });
  return { lock: { ...lock, port: (server.address() as net.AddressInfo).port }, asked, gone };
}

describe('the server of a lock', () => {
  it('answers, and is left alone then', async () => {
    const server = await listen((_, send) => {
      send({ result: {} });
    });
    expect(await greetServer(server.lock, patienceMs)).toBe('answers');
    expect(server.asked).toEqual([['Bearer t', 'server/hello', { protocolVersion, client: 'another server' }]]);
    await Promise.all(server.gone);
    expect(await greetServer((await startScriptedServer(temporaryFolder())).lock, patienceMs)).toBe('answers');
  });

  it('answers in another version, too', async () => {
    const server = await listen((_, send) => {
      send({ error: { code: 1005, message: 'Update both.' } });
    });
    expect(await greetServer(server.lock, patienceMs)).toBe('answers');
  });

  it('has gone where nobody listens, or somebody who does not know the token', async () => {
    const { lock: real } = await startScriptedServer(temporaryFolder());
    expect(await greetServer({ ...real, token: 'wrong' }, patienceMs)).toBe('gone');
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as net.AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await greetServer({ ...lock, port }, patienceMs)).toBe('gone');
  });

  it('is silent where it says nothing for the whole of the patience, or nothing that is an answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const answers = [
      () => {},
      (send: (answer: object) => void) => {
        send({ error: { code: 1099, message: 'x' } });
      },
    ];
    for (const say of answers) {
      const heard = Promise.withResolvers<void>();
      const server = await listen((_, send) => {
        say(send);
        heard.resolve();
      });
      let answer: string | null = null;
      const asked = greetServer(server.lock, patienceMs).then((said) => (answer = said));
      await heard.promise;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(patienceMs - 1);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(answer).toBeNull();
      vi.advanceTimersByTime(1);
      expect(await asked).toBe('silent');
      await Promise.all(server.gone);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it('keeps nobody waiting once it has answered', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const server = await listen((_, send) => {
      send({ result: {} });
    });
    expect(await greetServer(server.lock, patienceMs)).toBe('answers');
    expect(vi.getTimerCount()).toBe(0);
  });
});
