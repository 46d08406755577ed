// Locks of others, and systems that refuse or are quicker, for the tests of who has a folder.
import fs from 'node:fs';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { Lock, LockAnswer } from '../../server/rpc/lockFile.ts';

export const own = { pid: process.pid, port: 1, token: 'own-token', version: '0', startedMs: 0 };
export const says = (answer: LockAnswer) => () => Promise.resolve(answer);

export function write(runsFolder: string, lock: Partial<Lock>): string {
  const file = path.join(runsFolder, 'server.lock');
  fs.writeFileSync(file, JSON.stringify({ ...own, token: 'another', ...lock }));
  return file;
}

/** From now on the system refuses what would be done with such a file. */
export function refuse(
  what: 'openSync' | 'readFileSync' | 'writeFileSync' | 'linkSync' | 'copyFileSync',
  code: string,
  isMeant: (file: unknown) => boolean = () => true,
): void {
  const original = fs[what] as (...args: unknown[]) => never;
  const spied = vi.spyOn(fs, what as 'openSync').mockImplementation((...args) => {
    if (!isMeant(args[0])) return original(...args);
    throw Object.assign(new Error(`${code}: as the test has it`), { code });
  });
  onTestFinished(() => {
    spied.mockRestore();
  });
}

/** Another process acts right behind our last look at what lies there, when ours lies written beside it. */
export function amid(lockFile: string, act: () => void): void {
  let looking: number | null = null;
  const isLastLook = (file: unknown) => file === lockFile && fs.existsSync(`${lockFile}.${own.token}`);
  const { openSync, closeSync } = fs;
  const opening = vi.spyOn(fs, 'openSync').mockImplementation((...args) => {
    try {
      const descriptor = openSync(...args);
      if (isLastLook(args[0])) looking = descriptor;
      return descriptor;
    } catch (error) {
      if (isLastLook(args[0])) act();
      throw error;
    }
  });
  const closing = vi.spyOn(fs, 'closeSync').mockImplementation((descriptor) => {
    closeSync(descriptor);
    if (descriptor !== looking) return;
    looking = null;
    act();
  });
  onTestFinished(() => {
    opening.mockRestore();
    closing.mockRestore();
  });
}
