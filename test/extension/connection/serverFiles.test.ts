// Lock file, server process and log, with small servers of the test's own.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { cleanHost } from '../../../server/protocol/serverLock.ts';
import { readServerLock } from '../../../extension/connection/serverLock.ts';
import { endServer } from '../../../extension/connection/endServer.ts';
import { startServerProcess } from '../../../extension/connection/serverProcess.ts';
import { startScriptedServer } from '../../rpc/scriptedServer.ts';
import { startFakeServer } from './fakeServer.ts';

const lock = { pid: 1234, port: 4567, token: 'secret', version: '0.1.0', startedMs: 1 };

describe('the lock file', () => {
  test('is read as it stands', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'server.lock'), JSON.stringify(lock));
    expect(await readServerLock(folder, { isTrusted: true })).toEqual(lock);
  });

  test.each([
    ['is missing', null],
    ['is half written', '{"pid": 12'],
    ['lacks a token', JSON.stringify({ ...lock, token: '' })],
    ['names no port', JSON.stringify({ ...lock, port: 0 })],
  ])('that %s is none', async (_, text) => {
    const folder = temporaryFolder();
    if (text !== null) fs.writeFileSync(path.join(folder, 'server.lock'), text);
    expect(await readServerLock(folder, { isTrusted: true })).toBeNull();
  });

  test('of another host, of a strange kind or too large is none', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'server.lock');
    fs.writeFileSync(file, JSON.stringify({ ...lock, host: 'another' }));
    expect(await readServerLock(folder, { isTrusted: true })).toBeNull();
    fs.writeFileSync(file, JSON.stringify({ ...lock, host: os.hostname() }));
    expect(await readServerLock(folder, { isTrusted: true })).toMatchObject(lock);
    fs.writeFileSync(file, `${JSON.stringify(lock)}${' '.repeat(70_000)}`);
    expect(await readServerLock(folder, { isTrusted: true })).toBeNull();
    fs.rmSync(file);
    execFileSync('mkfifo', [file]);
    expect(await readServerLock(folder, { isTrusted: true })).toBeNull();
  });

  test('of this host is found where another host has the first place', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'server.lock'), JSON.stringify({ ...lock, host: 'another' }));
    const own = { ...lock, host: os.hostname(), token: 'own' };
    fs.writeFileSync(path.join(folder, `server.${cleanHost(os.hostname())}.lock`), JSON.stringify(own));
    expect(await readServerLock(folder, { isTrusted: true })).toEqual(own);
  });

  test('that lies in a folder that is not trusted is none', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'server.lock'), JSON.stringify(lock));
    expect(await readServerLock(folder, { isTrusted: false })).toBeNull();
  });

  test('is none where the folder is missing', async () => {
    expect(await readServerLock(path.join(temporaryFolder(), 'missing'), { isTrusted: true })).toBeNull();
  });
});

describe('starting a server', () => {
  test('runs it as Node on the runs folder, free of the window’s variables, and resolves with its lock', async () => {
    const options = serverThat(`
      fs.writeFileSync(folder + '/environment.json', JSON.stringify({ ...process.env, argv: process.argv.slice(2), cwd: process.cwd() }));
      fs.writeFileSync(folder + '/server.lock', JSON.stringify({ ...lock, pid: process.pid }));
      setInterval(() => {}, 1000);`);
    process.env.VSCODE_IPC_HOOK = '/window';
    onTestFinished(() => {
      delete process.env.VSCODE_IPC_HOOK;
    });
    const started = await startServerProcess(options);
    const environment = JSON.parse(
      fs.readFileSync(path.join(options.runsFolder, 'environment.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(environment).toMatchObject({
      ...options.variables,
      ELECTRON_RUN_AS_NODE: '1',
      argv: ['--runs', options.runsFolder],
    });
    expect(environment).not.toHaveProperty('VSCODE_IPC_HOOK');
    expect(environment.cwd).toBe(fs.realpathSync(options.workingFolder));
    process.kill(started.pid);
  });

  test('resolves with the lock of a server that was faster', async () => {
    const options = serverThat(`process.exit(3);`);
    fs.writeFileSync(path.join(options.runsFolder, 'server.lock'), JSON.stringify(lock));
    expect(await startServerProcess(options)).toEqual(lock);
  });

  test('fails with what the server said last when it ends early', async () => {
    const options = serverThat(`console.error('no space left on the disk'); process.exit(1);`);
    await expect(startServerProcess(options)).rejects.toThrow(
      'The server ended with status 1. no space left on the disk',
    );
  });

  test('does not take the stale lock of a dead server for its own', async () => {
    const options = serverThat(`process.exit(1);`);
    fs.writeFileSync(path.join(options.runsFolder, 'server.lock'), JSON.stringify(lock));
    await expect(startServerProcess(options)).rejects.toThrow('status 1');
  });

  test('waits for one that does not listen yet, and ends it when told to', async () => {
    const controller = new AbortController();
    const options = serverThat(`
      fs.writeFileSync(folder + '/started.part', String(process.pid));
      fs.renameSync(folder + '/started.part', folder + '/started');
      setInterval(() => {}, 1000);`);
    const started = startServerProcess({ ...options, signal: controller.signal });
    const pid = Number(await untilWritten(path.join(options.runsFolder, 'started')));
    controller.abort(new Error('it was cancelled'));
    await expect(started).rejects.toThrow('it was cancelled');
    await untilGone(pid);
  });

  test('never writes its log through a link', async () => {
    const options = serverThat(`process.exit(1);`);
    const victim = path.join(options.runsFolder, 'victim');
    fs.writeFileSync(victim, 'of somebody');
    fs.symlinkSync(victim, options.logFile);
    await expect(startServerProcess(options)).rejects.toThrow('ELOOP');
    expect(fs.readFileSync(victim, 'utf8')).toBe('of somebody');
  });

  test('keeps its log for the user alone, and begins it anew once it is long', async () => {
    const options = serverThat(`console.error('no space left on the disk'); process.exit(1);`);
    fs.writeFileSync(options.logFile, 'x'.repeat(1024 * 1024 + 1));
    fs.rmSync(options.logFile);
    await expect(startServerProcess(options)).rejects.toThrow('status 1');
    expect(fs.statSync(options.logFile).mode & 0o777).toBe(0o600);
    fs.appendFileSync(options.logFile, 'x'.repeat(1024 * 1024));
    await expect(startServerProcess(options)).rejects.toThrow('status 1');
    expect(fs.readFileSync(options.logFile, 'utf8')).toBe('no space left on the disk\n');
  });

  test('says so when the server is not installed', async () => {
    const options = { ...serverThat(''), serverModule: '/missing/server.cjs' };
    await expect(startServerProcess(options)).rejects.toThrow('The server is missing: /missing/server.cjs');
  });
});

describe('ending a server', () => {
  const { signal } = new AbortController();

  test('is done by asking it with its token', async () => {
    const server = await startScriptedServer(temporaryFolder());
    await endServer(server.lock, signal);
    await server.closed;
  });

  test('of a wrong token, or where nobody listens any more, ends nobody', async () => {
    const server = await startScriptedServer(temporaryFolder());
    await endServer({ ...server.lock, token: 'wrong' }, signal);
    let isClosed = false;
    void server.closed.then(() => (isClosed = true));
    await endServer({ ...lock, pid: process.pid, port: 9 }, signal);
    expect(isClosed).toBe(false);
  });

  test('that does not know how says which process to end', async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    await expect(endServer(server.lock, signal)).rejects.toThrow(
      /^The server \(process \d+, Kafscope .*\) was asked to end: .*\. End that process yourself, then try again\.$/,
    );
  });

  test('that has answered and still saves its runs is waited for until it has let go', async () => {
    const server = await startFakeServer({ answers: { 'server/end': () => ({}) } });
    let isEnded = false;
    const ended = endServer(server.lock, signal).then(() => (isEnded = true));
    await server.received('server/end');
    await untilAnswered(server.lock);
    expect(isEnded).toBe(false);
    await server.close();
    await ended;
  });

  test.each(['server/end', 'opening'])('that hangs at %s is left when told to, and its process named', async (at) => {
    const controller = new AbortController();
    const server = await startFakeServer({ answers: { 'server/end': () => new Promise(() => undefined) } });
    const door = net.createServer();
    onTestFinished(() => server.close());
    onTestFinished(() => void door.close());
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
    const { port } = at === 'opening' ? (door.address() as net.AddressInfo) : server.lock;
    const knocked = once(door, 'connection');
    const ended = endServer({ ...server.lock, port }, controller.signal).catch((error: unknown) => error);
    if (at === 'opening') await knocked;
    else await server.received('server/end');
    controller.abort(new Error('it was cancelled'));
    expect(await ended).toMatchObject({
      message: expect.stringMatching(/was asked to end: it was cancelled\. End that process yourself/) as string,
    });
  });
});

/** By another connection: what was asked before has been answered as well. */
async function untilAnswered(lock: Parameters<typeof endServer>[0]): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${lock.port}/`, { headers: { authorization: `Bearer ${lock.token}` } });
  await once(socket, 'open');
  socket.terminate();
}

async function untilWritten(file: string): Promise<string> {
  while (!fs.existsSync(file)) await new Promise((resolve) => setImmediate(resolve));
  return fs.readFileSync(file, 'utf8');
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

function serverThat(body: string) {
  const runsFolder = temporaryFolder();
  const serverModule = path.join(runsFolder, 'server.cjs');
  const head = `const fs = require('node:fs'); const folder = process.argv[3]; const lock = ${JSON.stringify({ ...lock, token: 'new' })};`;
  fs.writeFileSync(serverModule, `${head}\n${body}`);
  return {
    serverModule,
    runsFolder,
    logFile: path.join(runsFolder, 'server.log'),
    workingFolder: path.join(runsFolder, 'working'),
    signal: new AbortController().signal,
    variables: { KAFSCOPE_TENSORFLOW: '/tf' },
    isTrusted: true,
  };
}

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-'));
  onTestFinished(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
