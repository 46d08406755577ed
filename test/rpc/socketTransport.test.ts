// What either end reads and writes, without a wire: which messages come through, what becomes of the others, and when one that does
// not read is read no further or let go.
import { describe, expect, it } from 'vitest';
import type { Message } from 'vscode-jsonrpc/node';
import { decode, encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes } from '../../server/protocol/messages.ts';
import { SocketReader, SocketWriter } from '../../server/rpc/socketTransport.ts';
import { FakeSocket } from './fakeSocket.ts';

const ofServer = { depth: 4, values: 100 };

function read(limits?: { depth: number; values: number }) {
  const socket = new FakeSocket();
  const reader = new SocketReader(socket.asSocket, limits);
  const heard: unknown[] = [];
  const errors: string[] = [];
  const state = { isClosed: false };
  reader.onError((error) => errors.push(error.message));
  reader.onClose(() => (state.isClosed = true));
  const listening = reader.listen((message) => heard.push(message));
  return { socket, reader, heard, errors, state, listening };
}

function write(onTaken?: (message: Message) => void) {
  const socket = new FakeSocket();
  const writer = new SocketWriter(socket.asSocket, onTaken);
  const errors: [Error, Message | undefined, number | undefined][] = [];
  writer.onError((error) => errors.push(error));
  return { socket, writer, errors };
}

const request = (id: string | number | null) => ({ jsonrpc: '2.0', id, method: 'run/list' });

describe('a reader', () => {
  it.each([
    ['a request', { jsonrpc: '2.0', id: 1, method: 'run/list' }],
    ['one named by text', { jsonrpc: '2.0', id: 'one', method: 'run/list' }],
    ['one with params', { jsonrpc: '2.0', id: 1, method: 'run/list', params: {} }],
    ['one with no params', { jsonrpc: '2.0', id: 1, method: 'run/list', params: null }],
    ['one with the longest name', { jsonrpc: '2.0', id: 1, method: 'x'.repeat(100) }],
    ['a notification', { jsonrpc: '2.0', method: 'run/changed', params: {} }],
    ['a result', { jsonrpc: '2.0', id: 1, result: null }],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } }],
    ['an error to nobody', { jsonrpc: '2.0', id: null, error: { code: 1, message: 'x' } }],
  ])('of a client takes %s', (_, message) => {
    const { socket, heard, errors } = read();
    socket.receive(message);
    expect(heard).toEqual([message]);
    expect(errors).toEqual([]);
    expect(socket.closes).toEqual([]);
  });

  it.each([
    ['text', 'x'],
    ['nothing', null],
    ['of no version', { id: 1, method: 'run/list' }],
    ['of another version', { jsonrpc: '1.0', id: 1, method: 'run/list' }],
    ['with an id that is an object', { jsonrpc: '2.0', id: {}, method: 'run/list' }],
    ['with an id that is true', { jsonrpc: '2.0', id: true, method: 'run/list' }],
    ['neither method nor answer', { jsonrpc: '2.0', id: 1 }],
    ['a result to nobody that can be told', { jsonrpc: '2.0', result: 1 }],
    ['with a method that is a number', { jsonrpc: '2.0', id: 1, method: 7 }],
    ['with a method that is a list', { jsonrpc: '2.0', id: 1, method: ['run/list'] }],
    ['with a name too long', { jsonrpc: '2.0', id: 1, method: 'x'.repeat(101) }],
    ['with params that are text', { jsonrpc: '2.0', id: 1, method: 'run/list', params: 'x' }],
  ])('closes the connection for a message that is %s', (_, message) => {
    const { socket, heard, errors } = read(ofServer);
    socket.receive(message);
    expect(heard).toEqual([]);
    expect(errors).toEqual(['not a JSON-RPC 2.0 message']);
    expect(socket.closes).toEqual([[1007, 'a frame is one encoded JSON-RPC 2.0 message']]);
  });

  it('closes the connection for a frame of text, and for one that holds more than its limits', () => {
    const { socket, heard, errors } = read(ofServer);
    socket.emit('message', Buffer.from(encode(request(1))), false);
    expect(socket.closes).toEqual([[1003, 'messages are binary frames']]);
    socket.receive({ ...request(1), params: [[[[1]]]] });
    expect(socket.closes[1]?.[0]).toBe(1007);
    expect(errors).toEqual(['it is nested deeper than 4']);
    socket.receive({ ...request(1), params: Array.from({ length: 99 }, () => 0) });
    expect(errors[1]).toBe('it holds more than 100 values');
    expect(heard).toEqual([]);
    socket.receive({ ...request(1), params: [[[1]]] });
    expect(heard).toHaveLength(1);
  });

  it('of a client takes as deep a message as a server sends, and no deeper', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    const { socket, heard, errors } = read();
    socket.receive({ ...request(1), params: nested(63) });
    expect(heard).toHaveLength(1);
    socket.receive({ ...request(1), params: nested(64) });
    expect(heard).toHaveLength(1);
    expect(errors).toEqual(['it is nested deeper than 64']);
  });

  it('tells what its listener could not understand, and closes the connection', () => {
    const socket = new FakeSocket();
    const reader = new SocketReader(socket.asSocket, ofServer);
    const errors: string[] = [];
    reader.onError((error) => errors.push(error.message));
    reader.listen(() => {
      throw new Error('it makes no sense');
    });
    socket.receive(request(1));
    expect(errors).toEqual(['it makes no sense']);
    expect(socket.closes).toEqual([[1007, 'a message could not be understood']]);
  });

  it('tells errors and the end of its socket, and hears nothing once it is disposed', () => {
    const { socket, heard, errors, state, listening } = read();
    socket.emit('error', new Error('reset'));
    expect(errors).toEqual(['reset']);
    expect(state.isClosed).toBe(false);
    socket.emit('close');
    expect(state.isClosed).toBe(true);
    listening.dispose();
    socket.receive(request(1));
    expect(heard).toEqual([]);
  });

  it('of a server takes requests and their cancellation alone', () => {
    const { socket, heard, errors } = read(ofServer);
    const first = request('a');
    socket.receive(first);
    for (const message of [
      { jsonrpc: '2.0', method: 'run/list' },
      { jsonrpc: '2.0', method: 'run/list', id: null },
      { jsonrpc: '2.0', id: 'a', result: null },
      { jsonrpc: '2.0', method: '$/setTrace', params: { id: 'a' } },
      { jsonrpc: '2.0', method: '$/cancelRequest' },
      { jsonrpc: '2.0', method: '$/cancelRequest', params: null },
      { jsonrpc: '2.0', method: '$/cancelRequest', params: {} },
      { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 'b' } },
      { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: {} } },
    ])
      socket.receive(message);
    expect(heard).toEqual([first]);
    const cancellation = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 'a' } };
    socket.receive(cancellation);
    expect(heard).toEqual([first, cancellation]);
    expect(errors).toEqual([]);
    expect(socket.closes).toEqual([]);
  });

  it('of a server knows no cancellation of what was answered', () => {
    const { socket, reader, heard } = read(ofServer);
    socket.receive(request(1));
    reader.answered(1);
    socket.receive({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } });
    expect(heard).toHaveLength(1);
  });

  it('of a client is never paused by what it is asked', () => {
    const { socket, heard } = read();
    for (let id = 1; id <= 20; id++) socket.receive(request(id));
    expect(heard).toHaveLength(20);
    expect(socket.isPaused).toBe(false);
  });

  it('does not go on with a socket that it has not paused', () => {
    const { socket, reader } = read(ofServer);
    let resumed = 0;
    socket.resume = () => resumed++;
    reader.answered(1);
    expect(resumed).toBe(0);
  });
});

describe('a writer', () => {
  it('settles, and tells that a message was taken, once the system has it', async () => {
    const taken: Message[] = [];
    const { socket, writer } = write((message) => taken.push(message));
    const message = { jsonrpc: '2.0', id: 1, result: 'x' };
    let isSettled = false;
    const written = writer.write(message).then(() => (isSettled = true));
    await Promise.resolve();
    expect(socket.frames).toEqual([{ bytes: encode(message), isBinary: true }]);
    expect([isSettled, taken]).toEqual([false, []]);
    socket.take();
    await written;
    expect(taken).toEqual([message]);
  });

  it('needs nobody who wants to know', async () => {
    const { socket, writer } = write();
    const written = writer.write({ jsonrpc: '2.0' });
    socket.take();
    await written;
  });

  it('sends nothing where nobody is there any more, and says so by its end', async () => {
    const { socket, writer } = write();
    let isClosed = false;
    writer.onClose(() => (isClosed = true));
    socket.readyState = 2;
    await writer.write({ jsonrpc: '2.0' });
    expect(socket.frames).toEqual([]);
    expect(isClosed).toBe(false);
    socket.emit('close');
    expect(isClosed).toBe(true);
    writer.end();
    expect(socket.closes).toEqual([[undefined, undefined]]);
  });

  it('sends an error in place of an answer that is too large, and refuses any other such message', async () => {
    const { socket, writer } = write();
    // What its frame has beside the text.
    const around = encode({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(70_000) }).byteLength - 70_000;
    const fits = 'x'.repeat(maxMessageBytes - around);
    void writer.write({ jsonrpc: '2.0', id: 1, result: fits } as Message);
    void writer.write({ jsonrpc: '2.0', id: 1, result: `${fits}x` } as Message);
    expect(socket.frames[0]!.bytes.byteLength).toBe(maxMessageBytes);
    expect(decode(socket.frames[1]!.bytes)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: 1099,
        message: 'The answer has 60000001 bytes, more than the 60000000 of a message.',
        data: { fault: 'kafscope', isRetryable: false },
      },
    });
    for (const message of [
      { jsonrpc: '2.0', method: 'run/changed', params: fits },
      { jsonrpc: '2.0', id: 1, method: 'run/changed', params: fits },
    ])
      await expect(writer.write(message as Message)).rejects.toThrow(/^A message of 6\d{7} bytes is too large\.$/);
    expect(socket.frames).toHaveLength(2);
  });

  it('lets go of one for whom more would wait than a message may have, if anything waits', async () => {
    const { socket, writer, errors } = write();
    const message = { jsonrpc: '2.0', id: 1, result: 'x'.repeat(1000) };
    const size = encode(message).byteLength;
    socket.bufferedAmount = maxMessageBytes - size;
    void writer.write(message);
    expect(socket.frames).toHaveLength(1);
    expect(socket.isTerminated).toBe(false);
    socket.bufferedAmount++;
    await expect(writer.write(message)).rejects.toThrow('is let go');
    expect(socket.frames).toHaveLength(1);
    expect(socket.isTerminated).toBe(true);
    expect(errors.map(([error, about]) => [error.message, about])).toEqual([
      [`it has ${String(maxMessageBytes + 1 - size)} bytes to read and is let go`, message],
    ]);
  });

  it('sends the largest message to one for whom nothing waits, and lets go of one for whom a byte does', async () => {
    const { socket, writer } = write();
    const around = encode({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(70_000) }).byteLength - 70_000;
    const message = { jsonrpc: '2.0', id: 1, result: 'x'.repeat(maxMessageBytes - around) } as Message;
    void writer.write(message);
    expect(socket.isTerminated).toBe(false);
    socket.bufferedAmount = 1;
    await expect(writer.write(message)).rejects.toThrow('it has 1 bytes to read');
    expect(socket.isTerminated).toBe(true);
  });
});
