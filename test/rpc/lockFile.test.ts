// The lock of a folder: whose it is, and who may take it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cleanHost, maxServerLockBytes } from '../../server/protocol/serverLock.ts';
import { HeldLock, lockPlaces, readLock } from '../../server/rpc/lockFile.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { inDataFolder } from './dataFolder.ts';

import { amid, own, refuse, says, write } from './locks.ts';

describe('the places of a lock', () => {
  it('are those of the folder, whatever it is called', () => {
    const folder = temporaryFolder();
    const real = path.join(folder, 'runs');
    const link = path.join(folder, 'link');
    fs.mkdirSync(real);
    fs.symlinkSync(real, link);
    const folderHash = createHash('sha256').update(real).digest('hex').slice(0, 32);
    expect(lockPlaces(real).folderHash).toBe(folderHash);
    expect(lockPlaces(link).folderHash).toBe(folderHash);
    expect(lockPlaces(path.join(folder, 'not made yet')).folderHash).toMatch(/^[\da-f]{32}$/);
  });
});

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
    expect(held.file).toBe(path.join(runsFolder, 'server.lock'));
    expect(fs.lstatSync(held.file).isFile()).toBe(true);
    expect(fs.statSync(held.file).mode & 0o777).toBe(0o600);
    fs.rmSync(held.file);
    execFileSync('mkfifo', [held.file]);
    expect((await HeldLock.take(runsFolder, own, says('gone'))).file).toBe(held.file);
    fs.rmSync(held.file);
    const socket = net.createServer().listen(held.file);
    await once(socket, 'listening');
    expect((await HeldLock.take(runsFolder, own, says('gone'))).file).toBe(held.file);
    expect(fs.readdirSync(runsFolder)).toEqual(['server.lock']);
    socket.close();
  });

  it('reads no more than a lock may have, and puts its own in the place of what is none', async () => {
    const runsFolder = temporaryFolder();
    const file = write(runsFolder, {});
    fs.appendFileSync(file, ' '.repeat(maxServerLockBytes - fs.statSync(file).size));
    await expect(HeldLock.take(runsFolder, own, says('answers'))).rejects.toThrow(/already serves/);
    for (const text of [`${fs.readFileSync(file, 'utf8')} `, '{"pid": 1}', '{"pid": 1']) {
      fs.writeFileSync(file, text);
      expect(readLock(runsFolder)).toBeNull();
      const held = await HeldLock.take(runsFolder, own, says('answers'));
      expect([held.file, readLock(runsFolder)?.token]).toEqual([file, 'own-token']);
    }
  });

  it('knows its host by any name', async () => {
    const named = vi.spyOn(os, 'hostname').mockReturnValue('rechner-ü');
    onTestFinished(() => {
      named.mockRestore();
    });
    const runsFolder = temporaryFolder();
    await HeldLock.take(runsFolder, own, says('gone'));
    expect(readLock(runsFolder)).toMatchObject({ token: 'own-token', host: 'rechner-ü' });
  });

  it('asks anew where another lock has come while the first was asked', async () => {
    const runsFolder = temporaryFolder();
    write(runsFolder, {});
    const ask = ({ token }: Lock) => {
      if (token === 'newer') return Promise.resolve('answers' as const);
      write(runsFolder, { token: 'newer', pid: 7 });
      return Promise.resolve('gone' as const);
    };
    await expect(HeldLock.take(runsFolder, own, ask)).rejects.toThrow(/process id 7 already serves/);
  });

  it('leaves alone a lock that comes at the last moment where none was', async () => {
    for (const copies of [false, true]) {
      const runsFolder = temporaryFolder();
      const file = path.join(runsFolder, 'server.lock');
      if (copies) refuse('linkSync', 'EPERM');
      amid(file, () => write(runsFolder, {}));
      await expect(HeldLock.take(runsFolder, own, says('answers'))).rejects.toThrow(/already serves/);
      expect(readLock(runsFolder)?.token).toBe('another');
      expect(fs.readdirSync(runsFolder)).toEqual(['server.lock']);
      vi.restoreAllMocks();
    }
  });

  it('takes no harm from a lock that goes at the last moment', async () => {
    const runsFolder = temporaryFolder();
    const file = write(runsFolder, {});
    amid(file, () => {
      fs.rmSync(file);
    });
    await HeldLock.take(runsFolder, own, says('gone'));
    expect(readLock(runsFolder)?.token).toBe('own-token');
  });

  it.each(['EROFS', 'EACCES', 'EPERM'])('lies outside of it where it may not be written (%s)', async (code) => {
    const servers = inDataFolder();
    const runsFolder = temporaryFolder();
    refuse('writeFileSync', code, (file) => String(file).startsWith(runsFolder));
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    expect(path.dirname(held.file)).toBe(servers);
    expect(readLock(runsFolder)?.token).toBe('own-token');
    expect(fs.readdirSync(runsFolder)).toEqual([]);
  });

  it('says why it may lie nowhere, and goes nowhere else for lack of space', async () => {
    const servers = inDataFolder();
    const runsFolder = temporaryFolder();
    const isHere = (file: unknown) => String(file).startsWith(runsFolder);
    refuse('writeFileSync', 'ENOSPC', isHere);
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(
      `The disk is full: ${path.join(runsFolder, 'server.lock')} can't be written.`,
    );
    refuse('writeFileSync', 'EACCES');
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(
      `${servers}/${lockPlaces(runsFolder).folderHash}.${cleanHost(os.hostname())}.lock can't be written or read`,
    );
  });

  it("lies beside another user's lock, and waits where it can't tell whose it is", async () => {
    const runsFolder = temporaryFolder();
    const file = write(runsFolder, {});
    for (const code of ['EACCES', 'EPERM']) {
      refuse('openSync', code, (name) => name === file);
      const held = await HeldLock.take(runsFolder, own, says('gone'));
      expect(held.file).toBe(path.join(runsFolder, `server.${cleanHost(os.hostname())}.lock`));
      vi.restoreAllMocks();
    }
    refuse('openSync', 'EMFILE', (name) => name === file);
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(`${file} can't be read. Try again.`);
    vi.restoreAllMocks();
    refuse('readFileSync', 'EIO');
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(`${file} can't be read. Try again.`);
    vi.restoreAllMocks();
    expect(readLock(runsFolder)?.token).toBe('another');
  });

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('needs no links (%s)', async (code) => {
    const runsFolder = temporaryFolder();
    refuse('linkSync', code);
    const held = await HeldLock.take(runsFolder, own, says('gone'));
    expect(readLock(runsFolder)).toEqual(held.lock);
    expect(fs.statSync(held.file).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(runsFolder)).toEqual(['server.lock']);
  });

  it('says what else is wrong with links and copies', async () => {
    const runsFolder = temporaryFolder();
    refuse('copyFileSync', 'EIO');
    refuse('linkSync', 'ESTALE');
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(/ESTALE/);
    refuse('linkSync', 'ENOSYS');
    await expect(HeldLock.take(runsFolder, own, says('gone'))).rejects.toThrow(/EIO/);
    expect(fs.readdirSync(runsFolder)).toEqual([]);
  });
});
