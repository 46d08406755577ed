// What goes wrong between processes: strangers, broken messages, and deaths of trainers, servers and connections.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes, protocolVersion } from '../../server/protocol/messages.ts';
import { isResumable } from '../../server/protocol/run.ts';
import { HeldLock, readLock } from '../../server/rpc/lockFile.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { beatFile, logFile, newestLog, readHead } from '../../server/run/logFile.ts';
import { createScriptedRun, filesOf, killTrainerAt, readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { forkScriptedServer, startScriptedServer } from './scriptedServer.ts';
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
    expect(error.message).toMatch(/an older editor speaks protocol 2, this server .* speaks 1\. Update both/);
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
    const inspect = (_file: string, signal?: AbortSignal) => {
      signals.push(signal!);
      if (signals.length === 2) asked.resolve();
      return new Promise<never>((_, reject) => {
        signal!.addEventListener('abort', () => {
          reject(new Error('cancelled'));
        });
      });
    };
    const { lock } = await startScriptedServer(temporaryFolder(), { services: { ...services, inspect } });
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
    const inspect = (file: string, signal?: AbortSignal) => {
      begun.push(file);
      if (begun.length === 16) full.resolve();
      return new Promise<never>((_, reject) => {
        signal!.addEventListener('abort', () => {
          reject(new Error('cancelled'));
        });
      });
    };
    const { lock } = await startScriptedServer(temporaryFolder(), { services: { ...services, inspect } });
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

describe('a trainer that dies', () => {
  it('leaves its run interrupted and resumable, and the server alive', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 25);
    process.kill(trainerPid(folder), 'SIGKILL');
    const dead = await client.untilStatus(id, 'interrupted');
    expect(dead.message).toMatch(
      /^The trainer process was ended by SIGKILL\. Resume the run to go on from its last checkpoint\./,
    );
    expect(isResumable(dead)).toBe(true);
    const before = readRows(folder);
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    await client.untilStatus(id, 'training', since);
    await client.untilStep(id, before.length + 20);
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped', since);
    const rows = readRows(folder);
    const cut = before.findLast(({ record }) => record.type === 'checkpointed')!.seq;
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(rows.slice(0, cut)).toEqual(before.slice(0, cut));
    expect(rows.slice(0, before.length).map(({ record }) => record)).toEqual(before.map(({ record }) => record));
  });

  it('because it is told to end, wanting more, saves its run first', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 5);
    process.kill(trainerPid(folder), 'SIGUSR2');
    const ended = await client.untilStatus(id, 'interrupted');
    expect(ended.message).toBe('The trainer was told to end. Resume the run to go on from its last checkpoint.');
    expect(ended.checkpoints.at(-1)?.step).toBe(ended.step);
  });

  it.each(['killed', 'stopped'] as const)('after its log was replaced by no log, %s, ends nobody', async (how) => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.request('run/subscribe', { runId: id, cursor: 0 });
    await client.untilStep(id, 5);
    const trainer = trainerPid(folder);
    fs.rmSync(logFile(folder, 0));
    fs.mkdirSync(logFile(folder, 0));
    if (how === 'killed') process.kill(trainer, 'SIGKILL');
    else await client.request('run/stop', { runId: id });
    const ended = await client.untilStatus(id, 'damaged');
    expect(ended.message).toContain('is no regular file');
    const next = await client.request('run/start', { text: 'steps', file: null });
    await client.untilStatus(next.runs[0]!.id, 'finished');
  });

  it('whose death could not be noted whole, as on a full disk, can be resumed at once', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 25);
    fs.writeFileSync(beatFile(folder, 1), 'in the way');
    process.kill(trainerPid(folder), 'SIGKILL');
    const dead = await client.untilStatus(id, 'interrupted');
    expect(dead.message).toContain('was ended by SIGKILL');
    expect(fs.statSync(logFile(folder, 1)).size).toBe(0);
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    const statuses = () =>
      client.heard.slice(since).flatMap((heard) => (heard.method === 'run/changed' ? [heard.params.run.status] : []));
    await client.until(() => statuses().some((status) => status === 'training' || status === 'interrupted'));
    expect(statuses()).not.toContain('interrupted');
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped');
    expect(newestLog(folder)).toBe(2);
  });

  it('loses no record that was made', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'crashes', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStatus(id, 'interrupted');
    expect(readRows(folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 4 });
  });

  it('because it can not even start fails its run', async () => {
    const { lock } = await startScriptedServer(temporaryFolder(), {
      trainerFile: path.join(temporaryFolder(), 'trainer.cjs'),
    });
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'steps', file: null });
    const failed = await client.untilStatus(runs[0]!.id, 'failed');
    expect(failed.message).toMatch(/^The trainer process ended with code 1\. It had no checkpoint yet/);
  });
});

describe('a server', () => {
  it('is the only one of its folder', async () => {
    const runsFolder = temporaryFolder();
    const { lock } = await startScriptedServer(runsFolder);
    await expect(startScriptedServer(runsFolder)).rejects.toThrow(
      `The server with process id ${String(process.pid)} already serves ${runsFolder}.`,
    );
    expect(readLock(runsFolder)).toEqual(lock);
    await TestClient.connect(lock);
  });

  it('replaces the lock of one that is dead, of one that does not answer, and one that makes no sense', async () => {
    const runsFolder = temporaryFolder();
    const file = path.join(runsFolder, 'server.lock');
    const closed = http.createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    const dead = { pid: 2 ** 30, port, token: 'old', version: '0', startedMs: 0 };
    for (const text of [JSON.stringify(dead), JSON.stringify({ ...dead, pid: process.pid }), '{"pid": 12']) {
      fs.writeFileSync(file, text);
      const server = await startScriptedServer(runsFolder);
      expect(readLock(runsFolder)).toEqual(server.lock);
      await server.close('next');
      expect(fs.existsSync(file)).toBe(false);
    }
  });

  it('wins or loses a race for the lock, never both', async () => {
    const runsFolder = temporaryFolder();
    const locks = Array.from({ length: 4 }, (_, index) => ({
      pid: process.pid,
      port: 1,
      token: `t${String(index)}`,
      version: '0',
      startedMs: 0,
    }));
    fs.writeFileSync(path.join(runsFolder, 'server.lock'), JSON.stringify({ ...locks[0]!, token: 'stale' }));
    const ask = ({ token }: Lock) => Promise.resolve(token === 'stale' ? ('gone' as const) : ('answers' as const));
    const outcomes = await Promise.allSettled(locks.map((lock) => HeldLock.take(runsFolder, lock, ask)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(readLock(runsFolder)?.token).toBe(`t${String(winner)}`);
  });

  it('ends when no client and no work is left, not before', async () => {
    const runsFolder = temporaryFolder();
    const server = await startScriptedServer(runsFolder, { idleMs: 50 });
    const client = await TestClient.connect(server.lock);
    const { runs } = await client.request('run/start', { text: 'steps', file: null });
    client.socket.close();
    await server.closed;
    expect(readRows(runs[0]!.folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 12 });
    expect(readLock(runsFolder)).toBeNull();
  });

  it('that is killed leaves a trainer that saves its run, which the next server lists and resumes', async () => {
    const runsFolder = temporaryFolder();
    const first = await forkScriptedServer(runsFolder);
    const client = await TestClient.connect(first.lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 10);
    const trainer = trainerPid(folder);
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    // The next server is there before the trainer has ended: the two must not get in each other's way.
    const second = await forkScriptedServer(runsFolder);
    const next = await TestClient.connect(second.lock);
    const find = async () => (await next.request('run/list', {})).runs.find((run) => run.id === id)!;
    let run = await find();
    while (run.status === 'training') run = await find();
    expect(run.status).toBe('interrupted');
    expect(run.message).toContain('The server went away');
    expect(run.checkpoints.at(-1)?.step).toBe(run.step);
    expect(isResumable(run)).toBe(true);
    await untilGone(trainer);
    await next.request('run/resume', { runId: id });
    await next.untilStep(id, run.step + 3);
    expect(trainerPid(folder)).not.toBe(trainer);
  });

  it('that starts finds a run whose process was killed with its server, and calls it interrupted without writing anything', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    await killTrainerAt(folder, 25);
    const before = filesOf(folder);
    fs.mkdirSync(path.join(runsFolder, 'damaged'));
    fs.writeFileSync(path.join(runsFolder, 'damaged', 'run.db'), 'no database');
    const after = await TestClient.connect((await startScriptedServer(runsFolder)).lock);
    const listed = (await after.request('run/list', {})).runs;
    expect(Object.fromEntries(listed.map((run) => [run.id, run.status]))).toEqual({
      [id]: 'interrupted',
      damaged: 'damaged',
    });
    const run = listed.find((one) => one.id === id)!;
    expect(run.message).toContain('Resume the run to go on from its last checkpoint');
    expect(listed.find((one) => one.id === 'damaged')!.message).toContain('file is not a database');
    await after.request('run/snapshot', { runId: id });
    expect(filesOf(folder)).toEqual(before);
    expect(await after.failure('run/resume', { runId: 'damaged' })).toMatchObject({ code: 1003 });
  });

  it('that is told to end lets its trainers save their runs first', async () => {
    const runsFolder = temporaryFolder();
    const { process: server, lock } = await forkScriptedServer(runsFolder);
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'endless steps', file: null });
    await client.untilStep(runs[0]!.id, 5);
    server.kill('SIGTERM');
    const [code] = (await once(server, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(readLock(runsFolder)).toBeNull();
    const after = await TestClient.connect((await startScriptedServer(runsFolder)).lock);
    const listed = (await after.request('run/list', {})).runs;
    // The second had not begun: nothing of it was interrupted.
    expect(listed.map(({ status }) => status)).toEqual(['waiting', 'interrupted']);
    const saved = listed.find(({ id }) => id === runs[0]!.id)!;
    expect(saved.checkpoints.at(-1)?.step).toBe(saved.step);
  });
});

function trainerPid(folder: string): number {
  return readHead(folder, newestLog(folder))!.owner.pid;
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // it is gone, as hoped
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
