// What goes wrong at the door and on the wire.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes, protocolVersion } from '../../server/protocol/messages.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { openSocket, TestClient } from './testClient.ts';

async function refusalOf(lock: Lock, headers: Record<string, string>) {
  const request = http.request({
    port: lock.port,
    host: '127.0.0.1',
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    },
  });
  request.end();
  // Whoever is let in gets an upgrade, and no response.
  request.once('upgrade', (upgraded: http.IncomingMessage, socket: net.Socket) => {
    socket.destroy();
    request.emit('response', upgraded);
  });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const part of response) text += String(part);
  return { status: response.statusCode, text };
}

async function closeOf(lock: Lock, send: (socket: ReturnType<typeof openSocket>) => void): Promise<number> {
  const socket = openSocket(lock);
  await once(socket, 'open');
  socket.on('error', () => {});
  send(socket);
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

describe('a stranger', () => {
  it('without the token, or with a wrong one, is refused with 401', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    expect(await refusalOf(lock, {})).toEqual({
      status: 401,
      text: 'The token is missing or wrong; it stands in server.lock.',
    });
    expect((await refusalOf(lock, { authorization: `Bearer ${lock.token}x` })).status).toBe(401);
    const other = `${lock.token.slice(0, -1)}${lock.token.endsWith('A') ? 'B' : 'A'}`;
    expect((await refusalOf(lock, { authorization: `Bearer ${other}` })).status).toBe(401);
    expect((await refusalOf(lock, { authorization: `Basic ${lock.token}` })).status).toBe(401);
    const [first, ...rest] = lock.token;
    for (const wrong of [
      `${first === 'A' ? 'B' : 'A'}${rest.join('')}`,
      `${lock.token.slice(0, -1)}!`,
      'A'.repeat(43),
    ]) {
      expect(wrong).toHaveLength(lock.token.length);
      expect((await refusalOf(lock, { authorization: `Bearer ${wrong}` })).status).toBe(401);
    }
  });

  it('from a web page is refused with 403, even with the token', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const authorization = `Bearer ${lock.token}`;
    expect((await refusalOf(lock, { authorization, origin: 'http://127.0.0.1' })).status).toBe(403);
    expect((await refusalOf(lock, { origin: 'null' })).status).toBe(403);
  });

  it('can read the token only as the same user', async () => {
    const runsFolder = temporaryFolder();
    await startScriptedServer(runsFolder);
    expect(fs.statSync(path.join(runsFolder, 'server.lock')).mode & 0o777).toBe(0o600);
  });

  it('reaches the server on the loopback only', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    expect(lock.token).toMatch(/^[\w-]{43}$/); // 256 bits
    const plain = await fetch(`http://127.0.0.1:${String(lock.port)}/`);
    expect(plain.status).toBe(426);
    // All of 127/8 is this machine: a server that listens everywhere answers at the second address, too.
    const elsewhere = net.connect(lock.port, '127.0.0.2');
    const [outcome] = (await Promise.race([
      once(elsewhere, 'connect').then(() => ['connected']),
      once(elsewhere, 'error'),
    ])) as [unknown];
    elsewhere.destroy();
    expect(outcome).toMatchObject({ message: expect.stringMatching(/ECONNREFUSED|EADDRNOTAVAIL|ETIMEDOUT/) as string });
    if (process.platform !== 'linux') return;
    // Local address and state of each socket; 0A listens.
    const sockets = ['tcp', 'tcp6'].flatMap((table) => fs.readFileSync(`/proc/net/${table}`, 'utf8').split('\n'));
    const port = lock.port.toString(16).toUpperCase().padStart(4, '0');
    const listening = sockets.map((line) => line.trim().split(/\s+/)).filter((part) => part[3] === '0A');
    expect(listening.filter((part) => part[1]?.endsWith(`:${port}`)).map((part) => part[1])).toEqual([
      `0100007F:${port}`,
    ]);
  });
});

describe('a message', () => {
  it('larger than allowed ends the connection, not the server', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    expect(await closeOf(lock, (socket) => socket.send(Buffer.alloc(maxMessageBytes + 1)))).toBe(1009);
    await TestClient.connect(lock);
  });

  it('that is text, no MessagePack or no JSON-RPC ends the connection', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    expect(await closeOf(lock, (socket) => socket.send('{"jsonrpc":"2.0"}'))).toBe(1003);
    expect(await closeOf(lock, (socket) => socket.send(Buffer.from([0xc1])))).toBe(1007);
    expect(await closeOf(lock, (socket) => socket.send(encode({ id: 1, method: 'run/list' })))).toBe(1007);
    await TestClient.connect(lock);
  });

  it('of an unknown method, or before the greeting, is refused', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const stranger = await TestClient.connect(lock, { greets: false });
    expect(await stranger.failure('run/list', {})).toMatchObject({
      code: -32600,
      message: 'Send server/hello before run/list.',
    });
    const client = await TestClient.connect(lock);
    expect(await client.failure('run/fly', {})).toMatchObject({
      code: -32601,
      data: { fault: 'request', isRetryable: false },
    });
    expect(await client.failure('toString', {})).toMatchObject({ code: -32601 });
  });

  it('with wrong parameters is refused with the path of each', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const wrong = await client.failure('run/start', { text: 1, file: null, more: true });
    expect(wrong).toMatchObject({ code: -32602, data: { fault: 'request', isRetryable: false } });
    expect(wrong.message).toContain('run/start.text: Invalid input: expected string, received number');
    expect(wrong.message).toContain('"more"');
    expect((await client.failure('run/snapshot', { runId: '../../etc' })).message).toContain('run/snapshot.runId: ');
    expect(await client.failure('run/list', [1])).toMatchObject({ code: -32602 });
    expect(await client.failure('run/subscribe', { runId: 'x', cursor: -1 })).toMatchObject({ code: -32602 });
  });

  it('of another protocol version is refused with what to do', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock, { greets: false });
    const error = await client.failure('server/hello', {
      protocolVersion: protocolVersion + 1,
      client: 'an older editor',
    });
    expect(error).toMatchObject({ code: 1005, data: { fault: 'request', isRetryable: false } });
    const [theirs, ours] = [protocolVersion + 1, protocolVersion].map(String) as [string, string];
    expect(error.message).toContain(`an older editor speaks protocol ${theirs}, this server (`);
    expect(error.message).toContain(`) speaks ${ours}. Update both`);
    expect(await client.failure('run/list', {})).toMatchObject({ code: -32600 });
  });

  it('about a run in the wrong state, an unknown run or a missing file says so', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    expect(await client.failure('run/stop', { runId: 'nothing' })).toMatchObject({ code: 1002 });
    expect(await client.failure('checkpoint/inspect', { file: '/nowhere.safetensors' })).toMatchObject({ code: 1004 });
    const { runs } = await client.request('run/start', { text: 'steps', file: null });
    const runId = runs[0]!.id;
    await client.untilStatus(runId, 'finished');
    for (const method of ['run/pause', 'run/resume', 'run/stop']) {
      expect(await client.failure(method, { runId })).toMatchObject({ code: 1003 });
    }
  });
});

describe('a connection', () => {
  it('that drops in the middle of a subscription leaves the run and other clients alone', async () => {
    const { lock } = await startScriptedServer(temporaryFolder());
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const runId = runs[0]!.id;
    await client.request('run/subscribe', { runId, cursor: 0 });
    await client.until(() => client.rows(runId).length > 0);
    const cursor = client.rows(runId).at(-1)!.seq;
    client.socket.terminate();
    const back = await TestClient.connect(lock);
    await back.request('run/subscribe', { runId, cursor });
    await back.until(() => back.rows(runId).length > 3);
    expect(back.rows(runId)[0]!.seq).toBe(cursor + 1);
  });

  it('that is gone before its reply comes does no harm', async () => {
    const release = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { services } = (await import('./scriptedServerOptions.ts')).scriptedServerOptions('');
    const listDevices = async () => {
      asked.resolve();
      await release.promise;
      return { devices: [], chosen: 'cpu' as const };
    };
    const { lock } = await startScriptedServer(temporaryFolder(), { services: { ...services, listDevices } });
    const client = await TestClient.connect(lock);
    client.request('device/list', {}).catch(() => {});
    await asked.promise;
    client.socket.terminate();
    release.resolve();
    const other = await TestClient.connect(lock);
    expect((await other.request('run/list', {})).runs).toEqual([]);
  });
});

describe('an inspection', () => {
  it('ends when it is cancelled, and when who asked for it has gone', async () => {
    const { services } = (await import('./scriptedServerOptions.ts')).scriptedServerOptions('');
    const signals: AbortSignal[] = [];
    const asked = Promise.withResolvers<void>();
    const inspect = (_args: [file: string], signal?: AbortSignal) => {
      signals.push(signal!);
      if (signals.length === 2) asked.resolve();
      return new Promise<never>((_, reject) => {
        signal!.addEventListener('abort', () => {
          reject(new Error('cancelled'));
        });
      });
    };
    const { lock } = await startScriptedServer(temporaryFolder(), {
      services: { ...services, checkpoints: { ...services.checkpoints, inspect } },
    });
    const client = await TestClient.connect(lock);
    const send = (message: object) => {
      client.socket.send(encode({ jsonrpc: '2.0', ...message }));
    };
    for (const id of ['a', 'b']) send({ id, method: 'checkpoint/inspect', params: { file: '/x' } });
    await asked.promise;
    send({ method: '$/cancelRequest', params: { id: 'a' } });
    await once(signals[0]!, 'abort');
    expect(signals[1]!.aborted).toBe(false);
    client.socket.terminate();
    await once(signals[1]!, 'abort');
  });
});

describe('a client that asks for more than is worked on at a time', () => {
  it('is heard when it cancels: what is at work ends, and what waits is not begun', async () => {
    const { services } = (await import('./scriptedServerOptions.ts')).scriptedServerOptions('');
    const begun: string[] = [];
    const full = Promise.withResolvers<void>();
    const inspect = ([file]: [file: string], signal?: AbortSignal) => {
      begun.push(file);
      if (begun.length === 16) full.resolve();
      return new Promise<never>((_, reject) => {
        signal!.addEventListener('abort', () => {
          reject(new Error('cancelled'));
        });
      });
    };
    const { lock } = await startScriptedServer(temporaryFolder(), {
      services: { ...services, checkpoints: { ...services.checkpoints, inspect } },
    });
    const client = await TestClient.connect(lock);
    const cancellations = Array.from({ length: 20 }, () => new CancellationTokenSource());
    const answers = cancellations.map(({ token }, index) =>
      client.request('checkpoint/inspect', { file: `/${String(index)}` }, token),
    );
    for (const answer of answers) answer.catch(() => 'gone');
    await full.promise;
    for (const index of [17, 3]) cancellations[index]!.cancel();
    await expect(answers[3]).rejects.toMatchObject({ code: 1008, message: 'checkpoint/inspect was cancelled.' });
    cancellations[5]!.cancel();
    await expect(answers[17]).rejects.toMatchObject({ code: 1008 });
    for (const index of [0, 1]) cancellations[index]!.cancel();
    for (const index of [0, 1, 5]) await expect(answers[index]).rejects.toMatchObject({ code: 1008 });
    while (!begun.includes('/19')) await new Promise((resolve) => setImmediate(resolve));
    expect(begun.slice(16)).toEqual(['/16', '/18', '/19']);
  });
});
