// How much a folder has on the disk: its files' bytes, whatever else is there.
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { folderBytes } from '../../server/run/folderBytes.ts';
import { temporaryFolder } from './scriptedRun.ts';

describe('the bytes of a folder', () => {
  it('are those of its files, at any depth, and of no link', async () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'a/b'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'one'), 'x');
    fs.writeFileSync(path.join(folder, 'a/b/many'), 'x'.repeat(1000));
    fs.symlinkSync(path.join(folder, 'a/b/many'), path.join(folder, 'a/link'));
    expect(await folderBytes(folder)).toBe(1001);
  });

  it('are none where it is not there, and those that are left where a file goes meanwhile', async () => {
    const folder = temporaryFolder();
    expect(await folderBytes(path.join(folder, 'none'))).toBe(0);
    fs.writeFileSync(path.join(folder, 'one'), 'x');
    fs.writeFileSync(path.join(folder, 'two'), 'xx');
    const looked = vi.spyOn(fsPromises, 'lstat').mockRejectedValueOnce(new Error('ENOENT'));
    try {
      expect([1, 2]).toContain(await folderBytes(folder));
    } finally {
      looked.mockRestore();
    }
  });
});
