// The lock of a folder: whose it is, who may take it, and that whoever has it keeps it unless another proves itself.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cleanHost } from '../../server/protocol/serverLock.ts';
import { HeldLock, readLock } from '../../server/rpc/lockFile.ts';
import type { Lock, LockAnswer } from '../../server/rpc/lockFile.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { forkScriptedServer, startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

const own = { pid: process.pid, port: 1, token: 'own-token', version: '0', startedMs: 0 };
const says = (answer: LockAnswer) => () => Promise.resolve(answer);

function inDataFolder(): string {
  const folder = temporaryFolder();
  const before = process.env['XDG_DATA_HOME'];
  process.env['XDG_DATA_HOME'] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_DATA_HOME'];
    else process.env['XDG_DATA_HOME'] = before;
  });
  return path.join(folder, 'kafscope/servers');
}

function write(runsFolder: string, lock: Partial<Lock>): string {
  const file = path.join(runsFolder, 'server.lock');
  fs.writeFileSync(file, JSON.stringify({ ...own, token: 'another', ...lock }));
  return file;
}

describe('taking a folder', () => {
  it('leaves it to a server that answers, and to one that only listens, however long that says nothing', async () => {
    const runsFolder = temporaryFolder();
    write(runsFolder, { host: os.hostname() });
    await expect(HeldLock.take(runsFolder, own, says('answers'))).rejects.toMatchObject({ isSilent: false });
    await expect(HeldLock.take(runsFolder, own, says('answers'))).rejects.toThrow(/already serves/);
    const patiencesMs: number[] = [];
    const silent = (_lock: Lock, patienceMs: number) => {
      patiencesMs.push(patienceMs);
      return Promise.resolve('silent' as const);
    };
    await expect(HeldLock.take(runsFolder, own, silent)).rejects.toMatchObject({
      message: expect.stringContaining('does not answer, as when it is stopped') as string,
      isSilent: true,
    });
    // A minute and a half; one that needs half a minute for each answer is heard.
    expect(patiencesMs.reduce((sum, ms) => sum + ms, 0)).toBe(90_000);
    expect(patiencesMs).toEqual([...patiencesMs].sort((a, b) => a - b));
    expect(patiencesMs.at(-1)).toBeGreaterThan(30_000);
    expect(readLock(runsFolder)?.token).toBe('another');
  });

  it('does not ask a server of an earlier start of this machine', async () => {
    const runsFolder = temporaryFolder();
    write(runsFolder, { host: os.hostname(), boot: 'an earlier one' });
    const held = await HeldLock.take(runsFolder, own, () => Promise.reject(new Error('it was asked')));
    expect(held.lock).toMatchObject({ host: os.hostname() });
    held.release();
    expect(fs.readdirSync(runsFolder)).toEqual([]);
  });

  it('leaves the lock of another host where it is, and lies beside it', async () => {
    const runsFolder = temporaryFolder();
    const file = write(runsFolder, { host: 'another-host' });
    const before = fs.readFileSync(file, 'utf8');
    const held = await HeldLock.take(runsFolder, own, says('answers'));
    expect(held.file).toBe(path.join(runsFolder, `server.${cleanHost(os.hostname())}.lock`));
    expect(readLock(runsFolder)?.token).toBe('own-token');
    expect(fs.readFileSync(file, 'utf8')).toBe(before);
    held.release();
    expect(readLock(runsFolder)).toBeNull();
  });

  it('finds a server of this host that lies beside the place of another host', async () => {
    const runsFolder = temporaryFolder();
    const file = write(runsFolder, { host: 'another-host' });
    const first = await HeldLock.take(runsFolder, own, says('gone'));
    fs.rmSync(file);
    const second = HeldLock.take(runsFolder, { ...own, token: 'second' }, says('answers'));
    await expect(second).rejects.toThrow(/already serves/);
    first.release();
  });

  it('of which runs are only shown is noted outside of it', async () => {
    const servers = inDataFolder();
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('gone'), { isLooking: true });
    expect(fs.readdirSync(runsFolder)).toEqual([]);
    expect(path.dirname(held.file)).toBe(servers);
    expect(fs.statSync(servers).mode & 0o777).toBe(0o700);
    held.release();
    expect(fs.readdirSync(servers)).toEqual([]);
  });

  it('writes through no link and waits for no pipe', async () => {
    const runsFolder = temporaryFolder();
    const victim = path.join(temporaryFolder(), 'victim');
    fs.writeFileSync(victim, 'of somebody');
    fs.symlinkSync(victim, path.join(runsFolder, 'server.lock'));
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    expect(fs.readFileSync(victim, 'utf8')).toBe('of somebody');
    expect(fs.lstatSync(held.file).isFile()).toBe(true);
    expect(fs.statSync(held.file).mode & 0o777).toBe(0o600);
  });
});

describe('keeping a folder', () => {
  it('writes the lock again where it is gone or makes no sense', async () => {
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    fs.rmSync(held.file);
    expect(await held.keep()).toBe(true);
    expect(readLock(runsFolder)).toEqual(held.lock);
    fs.writeFileSync(held.file, '{"pid": 1');
    expect(await held.keep()).toBe(true);
    expect(readLock(runsFolder)).toEqual(held.lock);
  });

  it('yields only to another that proves itself, and takes it back from one that has gone', async () => {
    const runsFolder = temporaryFolder();
    for (const [answer, isKept, token] of [
      ['answers', false, 'another'],
      ['silent', true, 'another'],
      ['gone', true, 'own-token'],
    ] as const) {
      const held = await HeldLock.take(runsFolder, own, says(answer === 'gone' ? 'gone' : answer)).catch(() => null);
      const keeper = held ?? (await HeldLock.take(temporaryFolder(), own, says(answer)));
      if (!held) continue;
      write(runsFolder, { host: os.hostname() });
      expect(await keeper.keep(), answer).toBe(isKept);
      expect(readLock(runsFolder)?.token, answer).toBe(token);
      fs.rmSync(keeper.file);
    }
  });

  it('is not given up because another host lies there by now', async () => {
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('answers'));
    write(runsFolder, { host: 'another-host' });
    expect(await held.keep()).toBe(true);
    held.release();
    expect(fs.existsSync(path.join(runsFolder, 'server.lock'))).toBe(true);
  });

  it('goes on through the loss of its lock, and its run with it', async () => {
    const runsFolder = temporaryFolder();
    const server = await startScriptedServer(runsFolder);
    const client = await TestClient.connect(server.lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    await client.untilStep(runs[0]!.id, 5);
    fs.rmSync(path.join(runsFolder, 'server.lock'));
    // The run goes on without it, and once more when it is back.
    let step = 5;
    while (readLock(runsFolder)?.token !== server.lock.token) await client.untilStep(runs[0]!.id, ++step);
    step = (await client.request('run/list', {})).runs[0]!.step;
    await client.untilStep(runs[0]!.id, step + 5);
  });
});

describe('a server that is stopped for a while', () => {
  it('keeps its folder: a rival is told that it does not answer, and its run goes on', async () => {
    const runsFolder = temporaryFolder();
    const { process: server, lock } = await forkScriptedServer(runsFolder);
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    await client.untilStep(runs[0]!.id, 5);
    server.kill('SIGSTOP');
    let asked = 0;
    const ask = async (other: Lock): Promise<LockAnswer> => {
      asked++;
      // As the greeting that gets no answer, in less time.
      return Promise.resolve(other.token === lock.token ? 'silent' : 'answers');
    };
    await expect(HeldLock.take(runsFolder, own, ask)).rejects.toThrow(/does not answer/);
    expect(asked).toBeGreaterThan(1);
    server.kill('SIGCONT');
    const { step } = (await client.request('run/list', {})).runs[0]!;
    await client.untilStep(runs[0]!.id, step + 5);
    expect(readLock(runsFolder)?.token).toBe(lock.token);
  });
});

describe('a server that only shows runs', () => {
  it('writes nothing into the folder and trains nothing', async () => {
    inDataFolder();
    const runsFolder = temporaryFolder();
    const server = await startScriptedServer(runsFolder, { isLooking: true });
    const client = await TestClient.connect(server.lock);
    expect((await client.request('run/list', {})).runs).toEqual([]);
    for (const [method, params] of [
      ['run/start', { text: 'steps', file: null }],
      ['run/delete', { runId: 'x' }],
      ['run/resume', { runId: 'x' }],
      ['device/list', {}],
    ] as const) {
      expect(await client.failure(method, params)).toMatchObject({
        code: 1003,
        message: expect.stringContaining('Trust the workspace') as string,
      });
    }
    expect(fs.readdirSync(runsFolder)).toEqual([]);
  });
});
