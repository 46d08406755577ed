// Whoever has the lock of a folder keeps it, unless another proves itself.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { HeldLock, readLock } from '../../server/rpc/lockFile.ts';
import type { Lock, LockAnswer } from '../../server/rpc/lockFile.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { inDataFolder } from './dataFolder.ts';
import { forkScriptedServer, startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

import { own, refuse, says, write } from './locks.ts';

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

  it("leaves it as it is where it can't be read, and tries again where it can't be written", async () => {
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    write(runsFolder, {});
    for (const code of ['EMFILE', 'EACCES']) {
      refuse('openSync', code, (file) => file === held.file);
      expect(await held.keep(), code).toBe(true);
      vi.restoreAllMocks();
      expect(readLock(runsFolder)?.token).toBe('another');
    }
    fs.rmSync(held.file);
    const { writeFileSync } = fs;
    vi.spyOn(fs, 'writeFileSync').mockImplementationOnce((file) => {
      writeFileSync(file, '{"pid":');
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    expect(await held.keep()).toBe(true);
    expect(fs.readdirSync(runsFolder)).toEqual([]);
    expect(await held.keep()).toBe(true);
    expect(readLock(runsFolder)).toEqual(held.lock);
  });

  it('leaves no file open', async () => {
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    await held.keep();
    held.release();
    const descriptors = opened.mock.results.map(({ value }) => value as number);
    expect(descriptors).toHaveLength(2);
    expect(closed.mock.calls.map(([descriptor]) => descriptor)).toEqual(descriptors);
    vi.restoreAllMocks();
  });

  it('ends in silence where somebody removes the lock at the same time', async () => {
    const runsFolder = temporaryFolder();
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    const { closeSync } = fs;
    vi.spyOn(fs, 'closeSync').mockImplementation((descriptor) => {
      closeSync(descriptor);
      fs.rmSync(held.file);
    });
    held.release();
    vi.restoreAllMocks();
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
