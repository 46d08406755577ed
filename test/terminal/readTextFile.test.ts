// An experiment's file as bytes: which are text, and where those that aren't stand.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeText, readTextFile } from '../../server/terminal/readTextFile.ts';
import { UsageError } from '../../server/terminal/terminal.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

const text = 'name: größe 🙂\n';
const utf16 = Buffer.from(text, 'utf16le');
const bigEndian = Buffer.from(utf16).swap16();

describe('an experiment file', () => {
  it('is read as UTF-8, with or without its mark', () => {
    expect(decodeText(Buffer.from(text), 'a')).toBe(text);
    expect(decodeText(Buffer.from(`\ufeff${text}`), 'a')).toBe(text);
    expect(decodeText(new Uint8Array(), 'a')).toBe('');
    expect(decodeText(Buffer.from('a'), 'a')).toBe('a');
  });

  it.each([
    ['little-endian', utf16, 'little'],
    ['big-endian', bigEndian, 'big'],
    ['little-endian with its mark', Buffer.concat([Buffer.of(0xff, 0xfe), utf16]), 'little'],
    ['big-endian with its mark', Buffer.concat([Buffer.of(0xfe, 0xff), bigEndian]), 'big'],
  ])('is named as UTF-16, %s', (_, bytes, endian) => {
    const message = `a.kaf.yaml:1:1: the text is UTF-16 (${endian}-endian), not UTF-8. Save it as UTF-8.`;
    expect(() => decodeText(bytes, 'a.kaf.yaml')).toThrow(new UsageError(message));
  });

  it.each([
    ['Latin-1', Buffer.from('seed: 1\nname: größe', 'latin1'), '2:9', 17, '0xf6'],
    ['a byte that begins nothing', Buffer.from([0x61, 0x80]), '1:2', 2, '0x80'],
    ['a character that is cut off', Buffer.from('é🙂').subarray(0, 5), '1:2', 3, '0xf0'],
    ['a character with another after its first byte', Buffer.from([0x61, 0xe2, 0x82, 0x61]), '1:2', 2, '0xe2'],
    ['Latin-1 after whole characters', Buffer.concat([Buffer.from('é'), Buffer.of(0xe9)]), '1:2', 3, '0xe9'],
  ])('is refused at the byte that is not UTF-8: %s', (_, bytes, place, byte, value) => {
    const message = `a:${place}: byte ${byte} of the file (${value}) is not UTF-8; the text may be Latin-1. Save it as UTF-8.`;
    expect(() => decodeText(bytes, 'a')).toThrow(new UsageError(message));
  });

  it('is a plain file of at most a million bytes', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'long.yaml');
    fs.writeFileSync(file, '#'.repeat(1_000_000));
    expect(readTextFile(file)).toHaveLength(1_000_000);
    fs.appendFileSync(file, '#');
    expect(() => readTextFile(file)).toThrow('has more than 1000000 bytes');
    expect(() => readTextFile(folder)).toThrow(/is no plain file|can't be read/);
    expect(() => readTextFile(path.join(folder, 'none'))).toThrow("can't be read");
  });

  it.runIf(process.platform !== 'win32')('is not waited for where it is a FIFO or a device', () => {
    const fifo = path.join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const file of [fifo, '/dev/zero']) expect(() => readTextFile(file)).toThrow('is no plain file');
  });
});
