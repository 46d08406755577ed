// What a person is told when a disk fails.
import { describe, expect, it } from 'vitest';
import { StorageError, storageError } from '../../server/run/storageError.ts';

const failed = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: as the system says`), { code, ...more });

describe('what is wrong with a disk', () => {
  it.each([
    ['ENOSPC', 'The disk is full: /a can'],
    ['EDQUOT', 'Your quota of this disk is used up: /a can'],
    ['EFBIG', '/a has reached the largest size'],
    ['EACCES', "/a can't be written or read: permission denied."],
    ['EPERM', "/a can't be written or read: permission denied."],
    ['EROFS', "/a can't be written: its disk is read-only."],
    ['EIO', '/a: the disk reports a hardware error'],
    ['ESTALE', '/a: the network disk has lost the file'],
    ['EMFILE', "/a can't be opened: this process has no file handles left."],
    ['ENFILE', "/a can't be opened: the machine has no file handles left."],
  ])('is a sentence for %s, and keeps its cause', (code, begin) => {
    const cause = failed(code);
    const error = storageError('/a', cause);
    expect(error.message).toMatch(/\.$/);
    expect(error.message.startsWith(begin)).toBe(true);
    expect(error.cause).toBe(cause);
  });

  it('is what the system says where nothing better is known', () => {
    expect(storageError('/a', failed('EWHAT')).message).toBe('/a: EWHAT: as the system says');
    expect(storageError('/a', new Error('why')).message).toBe('/a: why');
    expect(storageError('/a', failed('ERR_SQLITE_ERROR', { errcode: 26 })).message).toBe(
      '/a: ERR_SQLITE_ERROR: as the system says',
    );
  });

  it('is a full disk where the database says so, in any of its codes', () => {
    for (const errcode of [13, 13 + 256])
      expect(storageError('/a', failed('ERR_SQLITE_ERROR', { errcode })).message).toContain('The disk is full');
  });

  it('is told once, and with the name of the file as it is', () => {
    const error = new StorageError('It is full.');
    expect(storageError('/a', error)).toBe(error);
    expect(storageError('/$&', failed('EIO')).message.startsWith('/$&: the disk')).toBe(true);
  });
});
