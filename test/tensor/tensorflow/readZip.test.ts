import fs from 'node:fs/promises';
import path from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { listZip, openZipEntry } from '../../../server/tensor/tensorflow/readZip.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';

/** By Python 3.11's zipfile: a folder, a stored file, a deflated executable of 50 words, an empty file; with a comment. */
const fromPython = Buffer.from(
  [
    'UEsDBBQAAAAAAAAAIVwAAAAAAAAAAAAAAAAHAAAAZm9sZGVyL1BLAwQUAAAAAAAAACFcC/lDVgYAAAAGAAAAEQAAAGZvbGRlci9z',
    'dG9yZWQudHh0c3RvcmVkUEsDBBQAAAAIAAAAIVxyYpjEEAAAAMIBAAAMAAAAZGVmbGF0ZWQudHh0S0lNy0ksSU1RSBllDE0GAFBL',
    'AwQUAAAAAAAAACFcAAAAAAAAAAAAAAAABQAAAGVtcHR5UEsBAhQDFAAAAAAAAAAhXAAAAAAAAAAAAAAAAAcAAAAAAAAAAAAAAIAB',
    'AAAAAGZvbGRlci9QSwECFAMUAAAAAAAAACFcC/lDVgYAAAAGAAAAEQAAAAAAAAAAAAAAgAElAAAAZm9sZGVyL3N0b3JlZC50eHRQ',
    'SwECFAMUAAAACAAAACFccmKYxBAAAADCAQAADAAAAAAAAAAAAAAA7YFaAAAAZGVmbGF0ZWQudHh0UEsBAhQDFAAAAAAAAAAhXAAA',
    'AAAAAAAAAAAAAAUAAAAAAAAAAAAAAIABlAAAAGVtcHR5UEsFBgAAAAAEAAQA4QAAALcAAAAOAHdpdGggYSBjb21tZW50',
  ].join(''),
  'base64',
);

async function withFile<T>(bytes: Buffer, use: (file: fs.FileHandle) => Promise<T>): Promise<T> {
  const name = path.join(temporaryFolder(), 'archive.zip');
  await fs.writeFile(name, bytes);
  const file = await fs.open(name);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

describe('reading a zip archive', () => {
  it('gives the files of an archive that Python wrote', async () => {
    const contents = await withFile(fromPython, async (file) => {
      const found: [string, number, string][] = [];
      for (const entry of await listZip(file)) {
        found.push([entry.name, entry.mode, await text(await openZipEntry(file, entry))]);
      }
      return found;
    });
    expect(contents).toEqual([
      ['folder/stored.txt', 0o600, 'stored'],
      ['deflated.txt', 0o755, 'deflated '.repeat(50)],
      ['empty', 0o600, ''],
    ]);
  });

  it('names a wrong byte', async () => {
    const stored = fromPython.indexOf('stored', fromPython.indexOf('stored') + 6);
    const damaged = Buffer.from(fromPython);
    damaged[stored] = 0;
    await withFile(damaged, async (file) => {
      const [entry] = await listZip(file);
      const content = await openZipEntry(file, entry!);
      await expect(buffer(content)).rejects.toThrow('folder/stored.txt is damaged');
    });
  });

  it('refuses what is no archive, or cut off', async () => {
    await expect(withFile(Buffer.from('no archive at all, but long enough'), listZip)).rejects.toThrow(
      'it is not a zip archive',
    );
    await expect(withFile(fromPython.subarray(100), listZip)).rejects.toThrow();
    await expect(withFile(Buffer.alloc(3), listZip)).rejects.toThrow('it is not a zip archive');
  });
});
