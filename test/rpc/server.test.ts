// The server itself: how long it stays, who gets past its door, and what it leaves behind. Its clock is the test's.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { maxRequestBytes } from '../../server/protocol/messages.ts';
import { readLock } from '../../server/rpc/lockFile.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { Session } from '../../server/rpc/session.ts';
import { startServer } from '../../server/rpc/server.ts';
import { RunReader } from '../../server/run/runReader.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';
import { openSocket, TestClient } from './testClient.ts';

function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** What was sent or closed has arrived: that takes turns of the event loop on this machine, but no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function startAt(change: Parameters<typeof startScriptedServer>[1] = {}) {
  const runsFolder = temporaryFolder();
  const log: string[] = [];
  const server = await startScriptedServer(runsFolder, { log: (line) => log.push(line), ...change });
  let isClosed = false;
  void server.closed.then(() => (isClosed = true));
  const isOver = async () => {
    await settle();
    return isClosed;
  };
  return { ...server, runsFolder, log, isOver };
}

function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 500) vi.advanceTimersByTime(Math.min(left, 500));
}

/** A connection that has said nothing yet. */
async function stand({ port }: Lock, allowHalfOpen = false) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
  socket.on('error', () => {});
  let heard = '';
  socket.setEncoding('utf8').on('data', (text) => (heard += String(text)));
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return { socket, heard: () => heard };
}

function upgrade(
  token: string,
  { path: where = '/', key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' } = {},
): string {
  return [
    ...[`GET ${where} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', key],
    ...['Sec-WebSocket-Version: 13', `Authorization: Bearer ${token}`, '', ''],
  ].join('\r\n');
}

describe('a server', () => {
  it('to which nobody comes ends after a minute, or when it is idle for longer than that', async () => {
    stopClock();
    const short = await startAt({ idleMs: 1000 });
    pass(59_000);
    expect(await short.isOver()).toBe(false);
    pass(1000);
    expect(await short.isOver()).toBe(true);
    expect(short.log).toEqual(['ends: no client and no work']);
    const long = await startAt({ idleMs: 100_000 });
    pass(98_000);
    expect(await long.isOver()).toBe(false);
    pass(2000);
    expect(await long.isOver()).toBe(true);
  });

  it('stays while a client does, and as long after it as it may be idle', async () => {
    stopClock();
    const { lock, isOver } = await startAt({ idleMs: 10_000 });
    pass(8000);
    const clients = [await TestClient.connect(lock), await TestClient.connect(lock)];
    for (const client of clients) {
      pass(100_000);
      expect(await isOver()).toBe(false);
      client.socket.terminate();
      await settle();
    }
    pass(9500);
    expect(await isOver()).toBe(false);
    pass(500);
    expect(await isOver()).toBe(true);
  });

  it('begins to wait anew with each client, however short that stays', async () => {
    stopClock();
    const { lock, isOver } = await startAt({ idleMs: 10_000 });
    for (let count = 0; count < 3; count++) {
      pass(8000);
      const client = await TestClient.connect(lock);
      client.socket.terminate();
      await settle();
    }
    expect(await isOver()).toBe(false);
  });

  it('tells its clients of each run that changed or is gone, and forgets what it has read of it where that holds no more', async () => {
    stopClock();
    const { lock } = await startAt();
    const followed = vi.spyOn(RunSupervisor.prototype, 'followOthers');
    pass(2000);
    const { events } = followed.mock.contexts[0] as RunSupervisor;
    const forgotten = vi.spyOn(RunReader.prototype, 'forget');
    const cut = vi.spyOn(Session.prototype, 'runCut');
    const clients = [await TestClient.connect(lock), await TestClient.connect(lock)];
    const run = { id: 'a', checkpoints: [] } as unknown as RunSummary;
    events.emit('changed', run);
    expect(forgotten.mock.calls).toEqual([]);
    events.emit('cut', 'b');
    expect(cut.mock.calls).toEqual([['b'], ['b']]);
    events.emit('deleted', { ...run, id: 'c' });
    expect(forgotten.mock.calls).toEqual([['b'], ['c']]);
    for (const client of clients) {
      await client.until(() => client.heard.length >= 2);
      expect(client.heard.map(({ method, params }) => [method, params])).toEqual([
        ['run/changed', { run, isDeleted: false }],
        ['run/changed', { run: { ...run, id: 'c' }, isDeleted: true }],
      ]);
    }
  });

  it('stays while a run is at work', async () => {
    stopClock();
    const { isOver } = await startAt({ idleMs: 1000 });
    const busy = vi.spyOn(RunSupervisor.prototype, 'isBusy', 'get').mockReturnValue(true);
    pass(120_000);
    expect(await isOver()).toBe(false);
    busy.mockReturnValue(false);
    pass(59_000);
    expect(await isOver()).toBe(false);
    pass(1000);
    expect(await isOver()).toBe(true);
  });

  it('that was stopped itself was not idle meanwhile', async () => {
    stopClock();
    const { isOver } = await startAt({ idleMs: 60_000 });
    const { now } = performance;
    let stoppedMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + stoppedMs);
    pass(20_000);
    stoppedMs = 3_600_000;
    // The next look counts for two.
    pass(37_500);
    expect(await isOver()).toBe(false);
    pass(500);
    expect(await isOver()).toBe(true);
  });

  it('looks at the runs of others every two seconds, and goes on where they can not be read', async () => {
    stopClock();
    const { log, runsFolder } = await startAt();
    const follow = vi.spyOn(RunSupervisor.prototype, 'followOthers');
    pass(1999);
    expect(follow).toHaveBeenCalledTimes(0);
    pass(1);
    expect(follow).toHaveBeenCalledTimes(1);
    follow.mockImplementationOnce(() => {
      throw new Error('no such disk');
    });
    pass(4000);
    expect(follow).toHaveBeenCalledTimes(3);
    expect(log).toEqual([`${runsFolder} can't be read: no such disk`]);
  });

  it('ends where another has its folder and answers', async () => {
    stopClock();
    const other = await startAt();
    const { runsFolder, isOver, log } = await startAt();
    const file = path.join(runsFolder, 'server.lock');
    fs.copyFileSync(path.join(other.runsFolder, 'server.lock'), file);
    pass(1999);
    expect(await isOver()).toBe(false);
    pass(1);
    for (let turn = 0; turn < 50 && !(await isOver()); turn++);
    expect(await isOver()).toBe(true);
    expect(log).toEqual(['ends: another server has taken its folder, and answers']);
    expect(readLock(runsFolder)?.token).toBe(other.lock.token);
  });

  it('ends once, however often it is told, and leaves nothing behind', async () => {
    stopClock();
    const closed = vi.spyOn(RunReader.prototype, 'close');
    const followed = vi.spyOn(RunSupervisor.prototype, 'followOthers');
    const saved = vi.spyOn(RunSupervisor.prototype, 'close');
    const { lock, close, log, runsFolder } = await startAt();
    expect(lock.token).toMatch(/^[\w-]{43}$/); // 256 bits
    const { socket } = await stand(lock);
    const client = await TestClient.connect(lock);
    const gone = Promise.all([once(socket, 'close'), once(client.socket, 'close')]);
    const first = close('first');
    await Promise.all([first, close('second')]);
    await gone;
    expect(log).toEqual(['ends: first']);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(saved.mock.calls).toEqual([['first']]);
    expect(fs.readdirSync(runsFolder)).toEqual([]);
    pass(10_000);
    await settle();
    expect(followed).not.toHaveBeenCalled();
    expect(fs.readdirSync(runsFolder)).toEqual([]);
    await expect(stand(lock)).rejects.toThrow('ECONNREFUSED');
  });

  it('that may not have the folder listens no longer', async () => {
    const { lock, runsFolder } = await startAt();
    const made = vi.spyOn(http, 'createServer');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const rival = startServer({ ...scriptedServerOptions(runsFolder) });
    const web = made.mock.results[0]!.value as http.Server;
    const turnedAway = once(web, 'listening').then(async () => {
      const { socket } = await stand({ ...lock, port: (web.address() as net.AddressInfo).port });
      await once(socket, 'close');
    });
    await expect(rival).rejects.toThrow('already serves');
    await turnedAway;
    expect(web.listening).toBe(false);
    expect(await TestClient.connect(lock)).toBeDefined();
  });

  it('makes its folder, also where it can not but the folder is there', async () => {
    const runsFolder = path.join(temporaryFolder(), 'a', 'b');
    await startScriptedServer(runsFolder);
    expect(fs.existsSync(path.join(runsFolder, 'server.lock'))).toBe(true);
    const there = temporaryFolder();
    const file = path.join(there, 'file');
    fs.writeFileSync(file, '');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    vi.spyOn(fs, 'mkdirSync').mockImplementation(() => {
      throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
    });
    await startScriptedServer(there);
    for (const folder of [file, path.join(there, 'none')])
      await expect(startScriptedServer(folder)).rejects.toThrow(`${folder} can't be written: its disk is read-only.`);
  });
});

describe('the door', () => {
  it('tells a browser what is spoken here, and closes', async () => {
    const { lock } = await startAt();
    const { socket, heard } = await stand(lock);
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await once(socket, 'close');
    expect(heard()).toMatch(/^HTTP\/1\.1 426 .*\r\ncontent-type: text\/plain\r\nconnection: close\r\n/i);
    expect(heard()).toContain('Kafscope speaks WebSocket here.\n');
  });

  it('leads to one place only', async () => {
    const { lock } = await startAt();
    const { socket, heard } = await stand(lock);
    socket.write(upgrade(lock.token, { path: '/elsewhere' }));
    await once(socket, 'close');
    expect(heard()).toBe(
      'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\nConnect to the path /.',
    );
  });

  it('is shut to strangers and to web pages, which are told so', async () => {
    const { lock } = await startAt();
    for (const [words, status] of [
      [upgrade('wrong'), '401 Unauthorized'],
      [upgrade(lock.token).replace('\r\n\r\n', '\r\nOrigin: http://127.0.0.1\r\n\r\n'), '403 Forbidden'],
    ] as const) {
      const { socket, heard } = await stand(lock);
      socket.write(words);
      await once(socket, 'close');
      expect(heard().split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
      expect(heard()).not.toContain('101');
    }
  });

  it('is shut for whoever does not go once refused', async () => {
    const { lock } = await startAt();
    const { socket } = await stand(lock, true);
    socket.write(upgrade('wrong'));
    await once(socket, 'end');
    for (let turn = 0; turn < 1000 && !socket.destroyed; turn++) {
      socket.write('x');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.destroyed).toBe(true);
  });

  it('is shut without a word for what is no request, has too much of a head, or is no handshake', async () => {
    const { lock } = await startAt();
    for (const words of [
      'x\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
      upgrade(lock.token, { key: 'X: y' }),
    ]) {
      const { socket, heard } = await stand(lock);
      socket.write(words);
      await once(socket, 'close');
      expect(heard()).toBe('');
    }
    const { socket, heard } = await stand(lock);
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(8000)}\r\n\r\n`);
    await once(socket, 'close');
    expect(heard()).toContain('426');
  });

  it('compresses nothing, and lets in messages of 4 MiB', async () => {
    const { lock } = await startAt();
    const closeOf = async (sizeBytes: number) => {
      const socket = openSocket(lock);
      await once(socket, 'open');
      expect(socket.extensions).toBe('');
      // 0xc1 begins no value of MessagePack.
      socket.send(Buffer.alloc(sizeBytes, 0xc1));
      return ((await once(socket, 'close')) as [number])[0];
    };
    expect(maxRequestBytes).toBe(4 * 1024 * 1024);
    expect(await closeOf(maxRequestBytes)).toBe(1007);
    expect(await closeOf(maxRequestBytes + 1)).toBe(1009);
  });

  it('is held by 64 strangers at most, the oldest of more goes, and those with the token are none', async () => {
    const { lock, log } = await startAt();
    const client = await TestClient.connect(lock);
    const all = [];
    for (let count = 0; count < 64; count++) all.push(await stand(lock));
    all[63]!.socket.destroy();
    await settle();
    all[63] = await stand(lock);
    await settle();
    expect(all.filter(({ socket }) => socket.closed)).toHaveLength(0);
    expect(log).toEqual([]);
    const turnedAway = Promise.all(all.slice(0, 2).map(({ socket }) => once(socket, 'close')));
    all.push(await stand(lock), await stand(lock));
    await turnedAway;
    await settle();
    expect(all.map(({ socket }, index) => (socket.closed ? index : -1)).filter((index) => index >= 0)).toEqual([0, 1]);
    expect(log).toEqual(['strangers are turned away: more than 64 are at the door']);
    expect((await client.request('run/list', {})).runs).toEqual([]);
    for (let count = 2; count < 1000; count++) all.push(await stand(lock));
    await settle();
    expect(log).toHaveLength(1);
    await stand(lock);
    await settle();
    expect(log).toHaveLength(2);
  });

  it('is held by 64 strangers at most, also where many come at once', async () => {
    const made = vi.spyOn(http, 'createServer');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    await startAt();
    const web = made.mock.results[0]!.value as http.Server;
    const all = Array.from(
      { length: 70 },
      () =>
        new Duplex({
          read: () => {},
          write: (_bytes, _encoding, done) => {
            done();
          },
        }),
    );
    for (const stranger of all) web.emit('connection', stranger);
    expect(all.map(({ destroyed }) => destroyed)).toEqual(all.map((_, index) => index < 6));
  });

  it('says what is wrong with it', async () => {
    const made = vi.spyOn(http, 'createServer');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const { log } = await startAt();
    (made.mock.results[0]!.value as http.Server).emit('error', new Error('no handles left'));
    expect(log).toEqual(['the endpoint: no handles left']);
  });
});
