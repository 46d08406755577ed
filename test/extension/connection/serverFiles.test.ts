// Lock file, server process and log, with small servers of the test's own.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readServerLock } from '../../../extension/connection/serverLock.ts';
import { endServerProcess, startServerProcess } from '../../../extension/connection/serverProcess.ts';

const lock = { pid: 1234, port: 4567, token: 'secret', version: '0.1.0', startedMs: 1 };

describe('the lock file', () => {
  test('is read as it stands', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'server.lock'), JSON.stringify(lock));
    expect(await readServerLock(folder)).toEqual(lock);
  });

  test.each([
    ['is missing', null],
    ['is half written', '{"pid": 12'],
    ['lacks a token', JSON.stringify({ ...lock, token: '' })],
    ['names no port', JSON.stringify({ ...lock, port: 0 })],
  ])('that %s is none', async (_, text) => {
    const folder = temporaryFolder();
    if (text !== null) fs.writeFileSync(path.join(folder, 'server.lock'), text);
    expect(await readServerLock(folder)).toBeNull();
  });

  test('is none where the folder is missing', async () => {
    expect(await readServerLock(path.join(temporaryFolder(), 'missing'))).toBeNull();
  });
});

describe('starting a server', () => {
  test('runs it as Node on the runs folder, free of the window’s variables, and resolves with its lock', async () => {
    const options = serverThat(`
      fs.writeFileSync(folder + '/environment.json', JSON.stringify({ ...process.env, argv: process.argv.slice(2) }));
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

    await endServerProcess(started, { timeoutMs: 10_000 });
    expect(() => process.kill(started.pid, 0)).toThrow('ESRCH');
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

  test('ends one that does not listen in time', async () => {
    const options = serverThat(`setInterval(() => {}, 1000);`);
    await expect(startServerProcess({ ...options, timeoutMs: 300 })).rejects.toThrow('did not listen within 0.3 s');
  });

  test('says so when the server is not installed', async () => {
    const options = { ...serverThat(''), serverModule: '/missing/server.cjs' };
    await expect(startServerProcess(options)).rejects.toThrow('The server is missing: /missing/server.cjs');
  });
});

function serverThat(body: string) {
  const runsFolder = temporaryFolder();
  const serverModule = path.join(runsFolder, 'server.cjs');
  const head = `const fs = require('node:fs'); const folder = process.argv[3]; const lock = ${JSON.stringify({ ...lock, token: 'new' })};`;
  fs.writeFileSync(serverModule, `${head}\n${body}`);
  return {
    serverModule,
    runsFolder,
    logFile: path.join(runsFolder, 'server.log'),
    timeoutMs: 20_000,
    variables: { KAFSCOPE_TENSORFLOW: '/tf' },
  };
}

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-'));
  onTestFinished(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
