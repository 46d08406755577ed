// The server's door: whoever has no token can neither end, slow nor fill it, and no message of one who has ends it.
// KAFSCOPE_TORTURE makes it long: 10⁴ resets, 10⁴ connections, 10⁵ frames.
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes, protocolVersion } from '../../server/protocol/messages.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { openSocket, TestClient } from './testClient.ts';

const isLong = process.env['KAFSCOPE_TORTURE'] !== undefined;

function upgradeWith(token: string): string {
  return [
    ...['GET / HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    ...['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', `Authorization: Bearer ${token}`, '', ''],
  ].join('\r\n');
}

/** Says something and resets the connection, sooner or later. */
async function reset(lock: Lock, words: string, isLater: boolean): Promise<void> {
  const socket = net.connect(lock.port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.once('connect', () => {
    socket.write(words, () => {
      if (isLater) setImmediate(() => socket.resetAndDestroy());
      else socket.resetAndDestroy();
    });
  });
  await closed;
}

async function isServed(lock: Lock): Promise<boolean> {
  const client = await TestClient.connect(lock);
  await client.request('run/list', {});
  client.socket.terminate();
  return true;
}

describe('a stranger at the door', () => {
  it('who resets connections in the middle of a refusal ends nothing', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const words = [upgradeWith('wrong'), upgradeWith(lock.token), 'GET / HTTP/1.1\r\n\r\n', 'x'.repeat(10_000), '\r\n'];
    const count = isLong ? 10_000 : 300;
    for (let done = 0; done < count; done += 20) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => reset(lock, words[(done + index) % words.length]!, index % 2 === 0)),
      );
    }
    expect(await isServed(lock)).toBe(true);
  });

  it('who holds connections open holds nobody else up, and costs no line of the log each', async () => {
    const lines: string[] = [];
    const { lock } = await startScriptedServer(temporaryFolder(), { log: (line) => lines.push(line) });
    const count = isLong ? 10_000 : 300;
    const sockets: net.Socket[] = [];
    let closed = 0;
    let settled = 0;
    for (let index = 0; index < count; index++) {
      const socket = net.connect(lock.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      let isSettled = false;
      const settle = () => {
        settled += Number(!isSettled);
        isSettled = true;
      };
      socket.on('connect', settle).on('close', settle);
      sockets.push(socket);
      // No more at a time than the system keeps waiting.
      while (index % 100 === 99 && settled <= index) await new Promise((resolve) => setImmediate(resolve));
    }
    while (closed < count - 64) await new Promise((resolve) => setImmediate(resolve));
    // While they stand there, whoever has the token comes in.
    expect(await isServed(lock)).toBe(true);
    for (const socket of sockets) socket.destroy();
    while (closed < count) await new Promise((resolve) => setImmediate(resolve));
    expect(await isServed(lock)).toBe(true);
    expect(lines.length).toBeLessThan(20);
  });
});

describe('no message ends the server', () => {
  const malformed: [string, unknown][] = [
    ['a cancellation without params', { jsonrpc: '2.0', method: '$/cancelRequest' }],
    ['a cancellation of nothing', { jsonrpc: '2.0', method: '$/cancelRequest', params: {} }],
    ['a cancellation of an object', { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: {} } }],
    ['progress without params', { jsonrpc: '2.0', method: '$/progress' }],
    ['progress of nothing', { jsonrpc: '2.0', method: '$/progress', params: { token: null } }],
    ['a trace of nothing', { jsonrpc: '2.0', method: '$/setTrace', params: null }],
    ['an answer to nobody', { jsonrpc: '2.0', id: 99, result: null }],
    ['an error to nobody', { jsonrpc: '2.0', id: null, error: { code: 1, message: 'x' } }],
    ['an error of no form', { jsonrpc: '2.0', id: 1, error: 7 }],
    ['a method that is a number', { jsonrpc: '2.0', id: 1, method: 7 }],
    ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'run/list' }],
    ['params that are text', { jsonrpc: '2.0', id: 1, method: 'run/list', params: 'x' }],
    ['a name of a megabyte', { jsonrpc: '2.0', id: 1, method: 'x'.repeat(1_000_000) }],
    ['neither method nor answer', { jsonrpc: '2.0', id: 1 }],
    ['a list of messages', [{ jsonrpc: '2.0', id: 1, method: 'run/list' }]],
    ['names of the prototype', { jsonrpc: '2.0', id: 1, method: '__proto__', params: { constructor: 1 } }],
  ];

  it.each(malformed)('such as %s', async (_, message) => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const client = await TestClient.connect(lock);
    client.socket.on('error', () => {});
    client.socket.send(encode(message));
    const ping = openSocket(lock);
    await once(ping, 'open');
    // The server has read what came before once it has answered this, or closed the connection.
    const answered = client.request('run/list', {}).then(
      () => 'answered',
      () => 'closed',
    );
    const closed = once(client.socket, 'close').then(() => 'closed');
    expect(['answered', 'closed']).toContain(await Promise.race([answered, closed]));
    expect(await isServed(lock)).toBe(true);
  });

  it('nor fills or slows it: depth and number of values are bounded before anything is made', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const nested = Buffer.concat([Buffer.alloc(4_000_000, 0x91), Buffer.from([0xc0])]);
    const many = Buffer.concat([Buffer.from([0xdd, 0x00, 0x3d, 0x09, 0x00]), Buffer.alloc(4_000_000, 0xc0)]);
    const promised = Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]);
    for (const bomb of [nested, many, promised]) {
      const client = await TestClient.connect(lock);
      client.socket.send(bomb);
      const [code] = (await once(client.socket, 'close')) as [number];
      expect(code).toBe(1007);
    }
    expect(await isServed(lock)).toBe(true);
  });

  it('of any bytes, greeted or not', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const witness = await TestClient.connect(lock);
    const { runs } = await witness.request('run/start', { text: 'endless', file: null });
    const { id: runId, folder } = runs[0]!;
    const draw = random(20_261_129);
    const seeds = [
      ...malformed.map(([, message]) => encode(message)),
      encode({ jsonrpc: '2.0', id: 1, method: 'server/hello', params: { protocolVersion, client: 'fuzz' } }),
      encode({ jsonrpc: '2.0', id: 2, method: 'run/snapshot', params: { runId } }),
      encode({ jsonrpc: '2.0', id: 3, method: 'run/subscribe', params: { runId, cursor: 0 } }),
    ];
    const count = isLong ? 100_000 : 2000;
    for (let sent = 0; sent < count;) {
      const socket = openSocket(lock);
      socket.on('error', () => {});
      const isGone = once(socket, 'close');
      await once(socket, 'open');
      for (let frame = 0; frame < 50; frame++, sent++) {
        const bytes = Buffer.from(seeds[Math.floor(draw() * seeds.length)]!);
        for (let change = Math.floor(draw() * 4); change > 0; change--)
          bytes[Math.floor(draw() * bytes.length)] = Math.floor(draw() * 256);
        const cut = draw() < 0.1 ? Math.floor(draw() * bytes.length) : bytes.length;
        socket.send(bytes.subarray(0, cut), { binary: draw() < 0.98 }, () => {});
      }
      socket.close();
      await isGone;
    }
    expect(await isServed(lock)).toBe(true);
    // All of them: the snapshot of a run that has gone on for long shows some.
    const steps = readRows(folder).flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect((await witness.request('run/snapshot', { runId })).steps.step.length).toBeGreaterThan(0);
    await witness.request('run/stop', { runId });
  });
});

describe('a client that never reads', () => {
  // Else a minute of silence could come first, on a slow machine.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is not read on once its answers wait: a flood of small questions costs little', async () => {
    const { services } = scriptedServerOptions('');
    let asked = 0;
    const listDevices = () => {
      asked++;
      return Promise.resolve({ devices: [], chosen: 'cpu' as const });
    };
    const { lock } = await startScriptedServer(temporaryFolder(), { services: { ...services, listDevices } });
    const client = await TestClient.connect(lock);
    client.socket.on('error', () => {});
    client.socket.pause();
    const count = 50_000;
    const padding = 'x'.repeat(60);
    for (let id = 0; id < count; id++)
      client.socket.send(
        encode({ jsonrpc: '2.0', id: `${padding}${String(id)}`, method: 'device/list', params: {} }),
        () => {},
      );
    // The kernel's buffers take some; the rest waits with the client, whose own memory that is.
    let before = -1;
    while (asked !== before) {
      before = asked;
      expect(await isServed(lock)).toBe(true);
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(count);
    // It goes on where it was once the client reads.
    client.socket.resume();
    while (asked < count) await new Promise((resolve) => setImmediate(resolve));
  });

  it('costs less than 64 MB: it is let go once what waits for it would pass that', async () => {
    const { services } = scriptedServerOptions('');
    const reason = 'x'.repeat(20_000_000);
    const large = { runtime: 'cpu', isAvailable: true, device: '', reason, stepMs: null, gpus: [] } as const;
    const lines: string[] = [];
    const { lock } = await startScriptedServer(temporaryFolder(), {
      log: (line) => lines.push(line),
      services: { ...services, listDevices: () => Promise.resolve({ devices: [large], chosen: 'cpu' }) },
    });
    const client = await TestClient.connect(lock);
    client.socket.on('error', () => {});
    client.socket.pause();
    for (let count = 0; count < 20; count++) void client.request('device/list', {}).catch(() => 'gone');
    expect(maxMessageBytes).toBeLessThan(64_000_000);
    while (!lines.some((line) => line.includes('bytes to read and is let go')))
      await new Promise((resolve) => setImmediate(resolve));
    expect(await isServed(lock)).toBe(true);
    expect(lines.filter((line) => line.includes('is let go'))).toHaveLength(1);
  });
});

function random(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
