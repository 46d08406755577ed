import { describe, expect, it } from 'vitest';
import { findJpegDamage } from '../../server/data/jpegDamage.ts';
import { readGolden } from '../golden/readGolden.ts';

interface Golden {
  readonly pictures: Readonly<Record<string, { readonly file: string }>>;
}

const golden = readGolden<Golden>('pictures').pictures;
const names = ['photo.jpg', 'photoOptimized.jpg', 'photoRestarts.jpg', 'photoFull.jpg', 'photoGrey.jpg'];
const photo = (name: string): Buffer => Buffer.from(golden[name]!.file, 'base64');

/** Bytes of no picture, others at each place. */
function others(at: number): Buffer {
  return Buffer.from(Array.from({ length: 64 }, (_, index) => Math.imul(64 * at + index + 1, 2_654_435_761) >>> 24));
}

/** Where the compressed data begin. */
function dataOf(bytes: Buffer): number {
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
  return scan + 2 + bytes.readUInt16BE(scan + 2);
}

/** Of damage at every fifth place of the compressed data but the last bytes, the share that is seen. */
function shareSeen(bytes: Buffer, nBytes: number, damage: (copy: Buffer, at: number) => Buffer): number {
  let [seen, all] = [0, 0];
  for (let at = dataOf(bytes); at < bytes.length - 2 - nBytes; at += 5, all++) {
    if (findJpegDamage(damage(Buffer.from(bytes), at)) !== null) seen++;
  }
  return seen / all;
}

describe.each(names)('damage in the middle of %s', (name) => {
  const bytes = photo(name);

  it('is none in the whole picture', () => {
    expect(findJpegDamage(bytes)).toBeNull();
  });

  it('is seen wherever the file ends early', () => {
    for (let end = 2; end < bytes.length - 2; end++)
      expect(findJpegDamage(bytes.subarray(0, end)), `${end}`).not.toBeNull();
  });

  it('is seen nearly always where bytes are missing or come twice, mostly where they are others', () => {
    expect(
      shareSeen(bytes, 100, (copy, at) => Buffer.concat([copy.subarray(0, at), copy.subarray(at + 100)])),
    ).toBeGreaterThan(0.9);
    expect(
      shareSeen(bytes, 100, (copy, at) => Buffer.concat([copy.subarray(0, at + 100), copy.subarray(at)])),
    ).toBeGreaterThan(0.9);
    expect(shareSeen(bytes, 512, (copy, at) => copy.fill(0, at, at + 512))).toBeGreaterThan(0.9);
    expect(shareSeen(bytes, 64, (copy, at) => copy.fill(others(at), at, at + 64))).toBeGreaterThan(0.5);
  });
});

describe('what is no damage', () => {
  const bytes = photo('photo.jpg');
  const end = bytes.length - 2;

  it('is anything behind the picture, and the filling before its end', () => {
    expect(findJpegDamage(Buffer.concat([bytes, Buffer.from('of a phone')]))).toBeNull();
    for (const filling of [[0], [0, 0, 0], [0xff], [0xff, 0xff]]) {
      expect(
        findJpegDamage(Buffer.concat([bytes.subarray(0, end), Buffer.from(filling), bytes.subarray(end)])),
      ).toBeNull();
    }
    const left = Buffer.concat([bytes.subarray(0, end), Buffer.from([7]), bytes.subarray(end)]);
    expect(findJpegDamage(left)).toBe('data are left over behind its last block');
  });

  it('is what other kinds of files and of JPEG hold: they are left to their readers', () => {
    for (const name of ['plain.png', 'lossy.webp', 'progressive.jpg']) {
      const whole = Buffer.from(golden[name]!.file, 'base64');
      expect(findJpegDamage(whole.fill(0, whole.length - 60, whole.length - 20)), name).toBeNull();
    }
    expect(findJpegDamage(new Uint8Array())).toBeNull();
  });
});

describe('a JPEG', () => {
  const bytes = photo('photo.jpg');
  const at = (marker: number): number => bytes.indexOf(Buffer.from([0xff, marker]));
  const without = (marker: number): Buffer => {
    const start = at(marker);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 2 + bytes.readUInt16BE(start + 2))]);
  };

  it('whose tables, size or data are missing is damaged, each by its name', () => {
    expect(findJpegDamage(without(0xc0))).toBe('its size is missing');
    expect(findJpegDamage(without(0xc4))).toBe('a table is missing');
    expect(findJpegDamage(Buffer.concat([bytes.subarray(0, at(0xda)), Buffer.from([0xff, 0xd9])]))).toBe(
      'it ends before its last colour',
    );
  });

  it('whose restart markers are not in their order lacks a part', () => {
    const restarts = photo('photoRestarts.jpg');
    const second = restarts.indexOf(Buffer.from([0xff, 0xd1]));
    restarts[second + 1] = 0xd2;
    expect(findJpegDamage(restarts)).toBe('a part of its data is missing');
  });
});
