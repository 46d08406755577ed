// How the cache of data sets is kept within its bound: by whom an entry is used, and which one goes.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { boundCache, cacheLimitBytes, cacheSize } from '../../server/data/cacheBound.ts';
import { isInUse, markUse } from '../../server/data/cacheFolder.ts';
import { cachedRows } from '../../server/data/rowCache.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

const key = (n: number): string => n.toString(16).padStart(32, '0');
const dead = spawnSync('true').pid;

/** A cache with entries of 1000 bytes, each used an hour after the one before; nobody uses them now. */
function cacheOf(kinds: readonly ('datasets' | 'arrays')[]) {
  const cacheFolder = temporaryFolder();
  const folders = kinds.map((kind, index) => {
    const folder = path.join(cacheFolder, kind, key(index));
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'samples.bin'), new Uint8Array(1000));
    fs.writeFileSync(path.join(folder, 'last-use'), '');
    fs.utimesSync(path.join(folder, 'last-use'), 3600 * index, 3600 * index);
    return folder;
  });
  const left = (): number[] => folders.flatMap((folder, index) => (fs.existsSync(folder) ? [index] : []));
  return { cacheFolder, folders, left };
}

describe('a cache above its bound', () => {
  it('loses what was used longest ago, of every kind, until the others fit', () => {
    const { cacheFolder, left } = cacheOf(['datasets', 'arrays', 'arrays', 'datasets']);
    expect(cacheSize(cacheFolder)).toEqual({ entries: 4, sizeBytes: 4000 });
    expect(boundCache(cacheFolder, 4000)).toEqual({ entries: 0, sizeBytes: 0 });
    expect(left()).toEqual([0, 1, 2, 3]);
    expect(boundCache(cacheFolder, 2999)).toEqual({ entries: 2, sizeBytes: 2000 });
    expect(left()).toEqual([2, 3]);
    expect(cacheSize(cacheFolder)).toEqual({ entries: 2, sizeBytes: 2000 });
  });

  it('keeps what a living process uses, this one or another, and what is used elsewhere', () => {
    const { cacheFolder, folders, left } = cacheOf(['datasets', 'arrays', 'datasets', 'datasets']);
    const other = spawn('sleep', ['1000']);
    onTestFinished(() => {
      other.kill();
    });
    markUse(folders[0]!);
    const [own] = fs.readdirSync(folders[0]!).filter((name) => name.startsWith('use.'));
    const space = own!.slice('use.'.length, own!.lastIndexOf('.'));
    fs.writeFileSync(path.join(folders[1]!, `use.${space}.${String(other.pid)}`), '');
    fs.writeFileSync(path.join(folders[2]!, `use.another-host.1.${String(dead)}`), '');
    fs.writeFileSync(path.join(folders[3]!, `use.${space}.${String(dead)}`), '');
    expect(folders.map(isInUse)).toEqual([true, true, true, false]);
    expect(boundCache(cacheFolder, 0).entries).toBe(1);
    expect(left()).toEqual([0, 1, 2]);
  });

  it('forgets the dead of this host, whose entries another host may then remove', () => {
    const { cacheFolder, folders } = cacheOf(['datasets', 'datasets']);
    markUse(folders[0]!);
    const [own] = fs.readdirSync(folders[0]!).filter((name) => name.startsWith('use.'));
    const ofDead = path.join(folders[0]!, own!.replace(/\d+$/, String(dead)));
    fs.writeFileSync(ofDead, '');
    boundCache(cacheFolder, 0);
    expect([fs.existsSync(ofDead), fs.existsSync(path.join(folders[0]!, own!))]).toEqual([false, true]);
  });

  it('gives an entry back to whoever came to use it in the same moment', () => {
    const { cacheFolder, folders, left } = cacheOf(['datasets', 'datasets']);
    const rename = fs.renameSync;
    const moved = vi.spyOn(fs, 'renameSync').mockImplementationOnce((from, to) => {
      markUse(folders[0]!);
      rename(from, to);
    });
    onTestFinished(() => {
      moved.mockRestore();
    });
    expect(boundCache(cacheFolder, 0).entries).toBe(1);
    expect(left()).toEqual([0]);
    expect(fs.existsSync(path.join(folders[0]!, 'samples.bin'))).toBe(true);
  });

  it('holds to what is its own: no link is followed, and nothing of another name goes', () => {
    const { cacheFolder, left } = cacheOf(['datasets']);
    const outside = temporaryFolder();
    fs.writeFileSync(path.join(outside, 'thesis'), 'x');
    const datasets = path.join(cacheFolder, 'datasets');
    fs.symlinkSync(outside, path.join(datasets, key(9)));
    fs.mkdirSync(path.join(datasets, 'mine'));
    fs.writeFileSync(path.join(datasets, key(8)), 'a file');
    boundCache(cacheFolder, 0);
    expect(left()).toEqual([]);
    expect(fs.readdirSync(datasets).sort()).toEqual([key(8), key(9), 'mine'].sort());
    expect(fs.existsSync(path.join(outside, 'thesis'))).toBe(true);
  });

  it('is none where there is no cache yet', () => {
    expect(boundCache(path.join(os.tmpdir(), 'kafscope-no-cache'), 0)).toEqual({ entries: 0, sizeBytes: 0 });
  });
});

it('rows that were opened are used by this process, made or found, and as of now', async () => {
  const cacheFolder = temporaryFolder();
  const open = () =>
    cachedRows({ cacheFolder, key: 1, type: 'uint8' }, (writer) => {
      writer.append(Uint8Array.of(1), 0);
      return Promise.resolve({ classes: ['a'] });
    });
  await open();
  expect(boundCache(cacheFolder, 0).entries).toBe(0);
  const [name] = fs.readdirSync(path.join(cacheFolder, 'datasets'));
  const folder = path.join(cacheFolder, 'datasets', name!);
  for (const file of fs.readdirSync(folder).filter((one) => one.startsWith('use.'))) fs.rmSync(path.join(folder, file));
  fs.utimesSync(path.join(folder, 'last-use'), 0, 0);
  await open();
  expect(boundCache(cacheFolder, 0).entries).toBe(0);
  expect(fs.statSync(path.join(folder, 'last-use')).mtimeMs).toBeGreaterThan(0);
});

it('the bound is 20 GB, or what the variable says, which must be a number', () => {
  const limits = [undefined, '', ' ', '0', '0.5', '100'].map((given) => cacheLimitBytes({ KAFSCOPE_CACHE_GB: given }));
  expect(limits).toEqual([20e9, 20e9, 20e9, 0, 5e8, 1e11]);
  for (const wrong of ['-1', 'much', 'NaN'])
    expect(() => cacheLimitBytes({ KAFSCOPE_CACHE_GB: wrong })).toThrow(`KAFSCOPE_CACHE_GB is "${wrong}"; expected`);
});
