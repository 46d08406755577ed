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
    expect(await greetServer(server.lock)).toBe('answers');
    expect(server.asked).toEqual([['Bearer t', 'server/hello', { protocolVersion, client: 'another server' }]]);
    await Promise.all(server.gone);
    expect(await greetServer((await startScriptedServer(temporaryFolder())).lock)).toBe('answers');
  });

  it('answers in another version, too', async () => {
    const server = await listen((_, send) => {
      send({ error: { code: 1005, message: 'Update both.' } });
    });
    expect(await greetServer(server.lock)).toBe('answers');
  });

  it('has gone where nobody listens, or somebody who does not know the token', async () => {
    const { lock: real } = await startScriptedServer(temporaryFolder());
    expect(await greetServer({ ...real, token: 'wrong' })).toBe('gone');
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as net.AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await greetServer({ ...lock, port })).toBe('gone');
  });

  it('is silent where it ends the conversation, or breaks it off before there is any', async () => {
    const ending = await listen((_, __, end) => {
      end();
    });
    // Not only once its patience is over.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let answer: string | null = null;
    void greetServer(ending.lock).then((said) => (answer = said));
    while (ending.gone.length === 0) await new Promise((next) => setImmediate(next));
    await Promise.all(ending.gone);
    for (let turn = 0; turn < 100; turn++) await new Promise((next) => setImmediate(next));
    expect(answer).toBe('silent');
    const broken = net.createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
    onTestFinished(() => {
      broken.close();
    });
    await once(broken, 'listening');
    expect(await greetServer({ ...lock, port: (broken.address() as net.AddressInfo).port })).toBe('silent');
  });

  it('is silent where it says nothing for three seconds, or nothing that is an answer', async () => {
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
      const asked = greetServer(server.lock).then((said) => (answer = said));
      await heard.promise;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(2999);
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
    expect(await greetServer(server.lock)).toBe('answers');
    expect(vi.getTimerCount()).toBe(0);
  });
});
