// How far a client is read that does not take its answers. The socket is a stand-in.
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Message } from 'vscode-jsonrpc/node';
import type { WebSocket } from 'ws';
import { encode } from '../../server/protocol/codec.ts';
import { SocketReader } from '../../server/rpc/socketTransport.ts';

class StandInSocket extends EventEmitter {
  isPaused = false;
  closed: number | null = null;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  close(code: number): void {
    this.closed = code;
  }
}

function makeReader() {
  const socket = new StandInSocket();
  const reader = new SocketReader(socket as unknown as WebSocket, { depth: 32, values: 1000 });
  const heard: string[] = [];
  const listening = reader.listen((message) => {
    const { method, id, params } = message as Message & { method: string; id?: number; params?: { id: number } };
    heard.push(method === '$/cancelRequest' ? `cancel ${String(params?.id)}` : String(id));
  });
  const send = (message: object) => {
    socket.emit('message', Buffer.from(encode({ jsonrpc: '2.0', ...message })), true);
  };
  const ask = (id: number | string, padding = '') => {
    send({ id, method: 'run/list', params: { padding } });
  };
  const cancel = (id: unknown) => {
    send({ method: '$/cancelRequest', params: { id } });
  };
  /** What has come since it was last asked. */
  const news = () => heard.splice(0);
  return { socket, reader, listening, send, ask, cancel, news };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a client that takes no answers', () => {
  it('has sixteen requests worked on, sixteen kept, and is then read no further', () => {
    const { socket, reader, ask, news } = makeReader();
    for (const id of range(1, 31)) ask(id);
    expect(news()).toEqual(range(1, 16).map(String));
    expect(socket.isPaused).toBe(false);
    ask(32);
    expect([news(), socket.isPaused]).toEqual([[], true]);
    // Each answer taken lets the next begin, in their order; once none is kept, it is read on.
    for (const id of range(1, 15)) reader.answered(id);
    expect([news(), socket.isPaused]).toEqual([range(17, 31).map(String), true]);
    reader.answered(20);
    expect([news(), socket.isPaused]).toEqual([['32'], false]);
    expect(socket.closed).toBeNull();
  });

  it('has no more than a MiB kept', () => {
    const { socket, reader, ask, news } = makeReader();
    for (const id of range(1, 16)) ask(id);
    ask(17, 'x'.repeat(500_000));
    expect(socket.isPaused).toBe(false);
    ask(18, 'x'.repeat(600_000));
    expect(socket.isPaused).toBe(true);
    reader.answered(1);
    reader.answered(2);
    expect([news().length, socket.isPaused]).toEqual([18, false]);
  });

  it('is heard when it cancels, both what is worked on and what is kept, which then never begins uncancelled', () => {
    const { reader, ask, cancel, news } = makeReader();
    for (const id of range(1, 20)) ask(id);
    news();
    cancel(18);
    cancel(3);
    expect(news()).toEqual(['cancel 3']);
    reader.answered(5);
    reader.answered(3);
    expect(news()).toEqual(['17', '18', 'cancel 18']);
  });

  it('is heard once a request, and of its own requests only', () => {
    const { reader, ask, cancel, news } = makeReader();
    for (const id of range(1, 16)) ask(id);
    news();
    for (let count = 0; count < 3; count++) cancel(2);
    for (const id of [99, '2', {}, null, undefined]) cancel(id);
    expect(news()).toEqual(['cancel 2']);
    reader.answered(2);
    cancel(2);
    expect(news()).toEqual([]);
    ask(2);
    cancel(2);
    expect(news()).toEqual(['2', 'cancel 2']);
  });

  it('is answered one request at a time where it calls all by the same name', () => {
    const { socket, reader, ask, news } = makeReader();
    for (let count = 0; count < 17; count++) ask('same');
    expect([news(), socket.isPaused]).toEqual([['same'], true]);
    reader.answered('same');
    expect([news(), socket.isPaused]).toEqual([['same'], true]);
    for (let count = 0; count < 15; count++) reader.answered('same');
    expect([news().length, socket.isPaused]).toEqual([15, false]);
  });

  it('has nothing begun that was kept once nobody listens any more', () => {
    const { reader, listening, ask, news } = makeReader();
    for (const id of range(1, 20)) ask(id);
    news();
    listening.dispose();
    reader.answered(1);
    expect(news()).toEqual([]);
  });
});

describe('the end of the connection that asks', () => {
  it('reads on, however many answers come', () => {
    const socket = new StandInSocket();
    const reader = new SocketReader(socket as unknown as WebSocket);
    let heard = 0;
    reader.listen(() => heard++);
    for (const id of range(1, 100))
      socket.emit('message', Buffer.from(encode({ jsonrpc: '2.0', id, method: 'x' })), true);
    expect([heard, socket.isPaused]).toEqual([100, false]);
  });
});
