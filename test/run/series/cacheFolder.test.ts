// Folders of the cache: who may take which, what becomes of them, and which go where the cache is too large.
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { CacheFolder } from '../../../server/run/series/cacheFolder.ts';
import { temporaryFolder } from '../scriptedRun.ts';

const gib = 1024 ** 3;
/** Of no process. */
const goneId = 4_000_000;

let cache: string;

beforeEach(() => {
  cache = path.join(temporaryFolder(), 'deep', 'cache');
});

/** A folder with one file, which takes no room on the disk however large it is. */
function put(name: string, { sizeBytes = 1, usedMs = 5000 }: { sizeBytes?: number; usedMs?: number } = {}): void {
  const file = path.join(cache, name, 'file');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, name.slice(0, 1));
  fs.truncateSync(file, sizeBytes);
  fs.utimesSync(file, usedMs / 1000, usedMs / 1000);
}

function names(): string[] {
  return fs.readdirSync(cache).sort();
}

/** What whoever takes it finds in it. */
function found(name: string): string[] {
  return fs.readdirSync(CacheFolder.take(cache, name).path);
}

it('is for one alone until it is put back, with all that is in it by then', () => {
  const first = CacheFolder.take(cache, 'a');
  fs.writeFileSync(path.join(first.path, 'first'), '');
  const second = CacheFolder.take(cache, 'a');
  const third = CacheFolder.take(cache, 'a');
  expect(new Set([first.path, second.path, third.path]).size).toBe(3);
  expect([first, second, third].map((each) => fs.readdirSync(each.path))).toEqual([['first'], [], []]);
  first.release({ isWanted: true });
  fs.writeFileSync(path.join(second.path, 'second'), '');
  third.release({ isWanted: false });
  expect(fs.readdirSync(path.join(cache, 'a'))).toEqual(['first']);
  second.release({ isWanted: true });
  expect(names()).toEqual(['a']);
  expect(found('a')).toEqual(['second']);
  expect(found('a')).toEqual([]);
});

it('may be deleted at any time', () => {
  for (const isWanted of [true, false]) {
    const folder = CacheFolder.take(cache, 'a');
    fs.rmSync(cache, { recursive: true });
    folder.release({ isWanted });
    expect(fs.existsSync(cache)).toBe(false);
  }
});

it('is taken from a process that fell, and from nobody else', () => {
  put(`ab.${String(goneId)}-0`);
  put(`a.${String(process.pid)}-999`);
  expect(found('a')).toEqual([]);
  put(`a.${String(goneId)}-12`);
  expect(found('a')).toEqual(['file']);
  expect(names()).toContain(`ab.${String(goneId)}-0`);
});

it('is left to a process of another user', () => {
  put(`a.${String(goneId)}-0`);
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
  });
  expect(found('a')).toEqual([]);
  kill.mockRestore();
});

it('that was used last stays where all together are too large, and what others have in use', () => {
  put('old', { sizeBytes: 1, usedMs: 1000 });
  put('older', { sizeBytes: 10, usedMs: 500 });
  put(`new.${String(process.pid)}-999`, { sizeBytes: 5 * gib });
  const folder = CacheFolder.take(cache, 'newest');
  const file = path.join(folder.path, 'large');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 4 * gib - 1);
  folder.release({ isWanted: true });
  expect(names()).toEqual([`new.${String(process.pid)}-999`, 'newest', 'old']);
  const again = CacheFolder.take(cache, 'newest');
  fs.appendFileSync(path.join(again.path, 'more'), 'x');
  again.release({ isWanted: true });
  expect(names()).toEqual([`new.${String(process.pid)}-999`, 'newest']);
});

it('was used when the newest of its files was written', () => {
  put('b', { usedMs: 3000, sizeBytes: 2 * gib });
  put('a', { usedMs: 2000, sizeBytes: 2 * gib });
  fs.writeFileSync(path.join(cache, 'a', 'another'), '');
  fs.utimesSync(path.join(cache, 'a', 'another'), 4, 4);
  const folder = CacheFolder.take(cache, 'c');
  fs.writeFileSync(path.join(folder.path, 'one'), 'x');
  folder.release({ isWanted: true });
  expect(names()).toEqual(['a', 'c']);
});

it("that is gone, or of which a file is gone, while it is looked at is in nobody's way", () => {
  put('a', { usedMs: 2000, sizeBytes: 1 });
  fs.symlinkSync('/nowhere', path.join(cache, 'a', 'gone'));
  put('newer', { usedMs: 3000, sizeBytes: 4 * gib - 1 });
  fs.writeFileSync(path.join(cache, 'stray'), 'x');
  CacheFolder.take(cache, 'b').release({ isWanted: true });
  expect(names()).toEqual(['a', 'b', 'newer', 'stray']);
});
