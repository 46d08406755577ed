// Checkpoint files: written whole, read with every lie of a header found out.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { readCheckpoint, writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { dtypeBytes, SafetensorsFile, writeSafetensors } from '../../server/run/safetensors.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder } from './scriptedRun.ts';

const float = (values: number[]) => Buffer.from(Float32Array.from(values).buffer);

/** A file put together by hand, after the format's description. */
function fileOf(header: unknown, data: Buffer, options: { headerBytes?: bigint } = {}): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(options.headerBytes ?? BigInt(json.length));
  const file = path.join(temporaryFolder(), 'made.safetensors');
  fs.writeFileSync(file, Buffer.concat([length, json, data]));
  return file;
}

const tensor = (shape: number[], begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('a safetensors file', () => {
  it('reads what another program wrote', () => {
    const data = Buffer.concat([float([1, 2, 3, 4]), float([-0.5])]);
    const header = { __metadata__: { made: 'by hand' }, b: tensor([], 16, 20), a: tensor([2, 2], 0, 16) };
    const stored = new SafetensorsFile(fileOf(header, data));
    expect(stored.metadata).toEqual({ made: 'by hand' });
    expect(stored.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['b', []],
      ['a', [2, 2]],
    ]);
    expect([...new Float32Array(stored.read(stored.tensors[1]!).buffer)]).toEqual([1, 2, 3, 4]);
    expect([...new Float32Array(stored.read(stored.tensors[0]!).buffer)]).toEqual([-0.5]);
    stored.close();
  });

  it('is written with an aligned header and keeps NaN, infinities and empty tensors', () => {
    const file = path.join(temporaryFolder(), 'ours.safetensors');
    const values = Float32Array.of(Number.NaN, Infinity, -Infinity, -0, 1e-45, 3e38);
    writeSafetensors(
      file,
      new Map([
        ['x', { shape: [2, 3], values }],
        ['none', { shape: [0, 3], values: new Float32Array() }],
      ]),
      {
        note: 'ä',
      },
    );
    expect(fs.readFileSync(file).readBigUInt64LE() % 8n).toBe(0n);
    const stored = new SafetensorsFile(file);
    expect(new Float32Array(stored.read(stored.tensors[0]!).buffer)).toEqual(values);
    expect(stored.tensors[1]).toMatchObject({ name: 'none', shape: [0, 3], sizeBytes: 0 });
    expect(stored.metadata).toMatchObject({ note: 'ä' });
    stored.close();
  });

  it('begins with its header, of whose bytes the digest is, with zeros in its own place', () => {
    const file = path.join(temporaryFolder(), 'ours.safetensors');
    const values = Float32Array.of(1, 2);
    writeSafetensors(file, new Map([['x', { shape: [2], values }]]), { note: 'a' });
    const bytes = fs.readFileSync(file);
    const beginning = bytes.subarray(0, 8 + Number(bytes.readBigUInt64LE()));
    expect(beginning.length).toBe(bytes.length - 8);
    expect(beginning.toString('latin1', 8)).toMatch(
      /^\{"__metadata__":\{"headerDigest":"[0-9a-f]{32}","note":"a",.*\} *$/,
    );
    const sha256 = (of: Uint8Array) => createHash('sha256').update(of).digest('hex').slice(0, 32);
    const stored = new SafetensorsFile(file);
    stored.close();
    const { headerDigest, digests } = stored.metadata;
    expect(JSON.parse(digests!)).toEqual({ x: sha256(new Uint8Array(values.buffer)) });
    const cleared = beginning.toString('latin1').replace(headerDigest!, '0'.repeat(32));
    expect(headerDigest).toBe(sha256(Buffer.from(cleared, 'latin1')));
  });

  it('is on the disk with its name, and leaves nothing open, also where its disk can sync no folders', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    const write = () => {
      writeSafetensors(file, new Map(), {});
    };
    const synced: number[] = [];
    const { fsyncSync } = fs;
    const sync = vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      synced.push(fs.fstatSync(descriptor).ino);
      fsyncSync(descriptor);
    });
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      write();
      expect(synced).toEqual([fs.statSync(file).ino, fs.statSync(folder).ino]);
      sync.mockImplementation((descriptor) => {
        if (fs.fstatSync(descriptor).isDirectory()) throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' });
      });
      write();
      opened.mockImplementationOnce(() => {
        throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
      });
      expect(write).toThrow(`${file} can't be written: its disk is read-only.`);
      expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length - 1);
    } finally {
      for (const spy of [sync, opened, closed]) spy.mockRestore();
    }
    expect(fs.readdirSync(folder)).toEqual(['x.safetensors']);
  });

  it.each(
    Object.entries({
      ...{ F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1 },
      ...{ BOOL: 1, U8: 1, I8: 1, I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, I64: 8, U64: 8, F64: 8 },
    }),
  )('of %s has %d bytes a value', (dtype, width) => {
    expect(Object.keys(dtypeBytes)).toHaveLength(16);
    const stored = new SafetensorsFile(fileOf({ x: tensor([3], 0, 3 * width, dtype) }, Buffer.alloc(3 * width)));
    expect(stored.tensors[0]).toMatchObject({ dtype, sizeBytes: 3 * width });
    stored.close();
  });

  it('names tensors of types whose values are not read, those that nobody knows too, with their bytes in their places', () => {
    const header = {
      ...{ a: tensor([3], 0, 2, 'F4'), b: tensor([2, 2], 2, 5, 'F6_E2M3'), c: tensor([1], 5, 13, 'C64') },
      ...{ d: tensor([7], 13, 16, 'F9'), e: tensor([1], 16, 20) },
    };
    const stored = new SafetensorsFile(fileOf(header, Buffer.alloc(20)));
    expect(stored.unread.map(({ name, dtype, sizeBytes }) => [name, dtype, sizeBytes])).toEqual([
      ['a', 'F4', 2],
      ['b', 'F6_E2M3', 3],
      ['c', 'C64', 8],
      ['d', 'F9', 3],
    ]);
    expect(stored.tensors.map(({ name }) => name)).toEqual(['e']);
    stored.close();
  });

  it('may hold nothing but an empty tensor', () => {
    const stored = new SafetensorsFile(fileOf({ x: tensor([0], 0, 0) }, Buffer.alloc(0)));
    expect(stored.tensors).toMatchObject([{ name: 'x', sizeBytes: 0 }]);
    stored.close();
    // Where another begins, too.
    new SafetensorsFile(fileOf({ x: tensor([2], 0, 8), none: tensor([0], 0, 0) }, float([1, 2]))).close();
  });

  it('is read in parts of any length', () => {
    const file = fileOf({ x: tensor([1], 0, 4), y: tensor([5], 4, 24) }, float([9, 1, 2, 3, 4, 5]));
    const stored = new SafetensorsFile(file);
    const buffer = new Uint8Array(8);
    const parts = Array.from(stored.readParts(stored.tensors[1]!, buffer), (part) => [
      ...new Float32Array(part.slice().buffer),
    ]);
    expect(parts).toEqual([[1, 2], [3, 4], [5]]);
    stored.close();
  });

  it('is read whole, however few bytes the system gives at a time', () => {
    const stored = new SafetensorsFile(fileOf({ x: tensor([3], 0, 12) }, float([1, 2, 3])));
    const { readSync } = fs;
    const read = vi.spyOn(fs, 'readSync').mockImplementation(((
      descriptor: number,
      bytes: Uint8Array,
      at: number,
      size: number,
      from: number,
    ) => {
      expect(at + size).toBeLessThanOrEqual(bytes.length);
      return readSync(descriptor, bytes, at, Math.min(5, size), from);
    }) as typeof fs.readSync);
    try {
      expect([...new Float32Array(stored.read(stored.tensors[0]!).buffer)]).toEqual([1, 2, 3]);
    } finally {
      read.mockRestore();
      stored.close();
    }
  });

  it('has both of its digests, as they should be, or none', () => {
    const digestsOf = (metadata: Record<string, string>) => {
      const withPlaceholder = JSON.stringify({ __metadata__: metadata });
      const beginning = Buffer.alloc(8 + withPlaceholder.length);
      beginning.writeBigUInt64LE(BigInt(withPlaceholder.length));
      beginning.write(withPlaceholder, 8, 'latin1');
      const digest = createHash('sha256').update(beginning).digest('hex').slice(0, 32);
      const file = fileOf(withPlaceholder.replace('0'.repeat(32), digest), Buffer.alloc(0));
      const stored = new SafetensorsFile(file);
      try {
        return stored.readDigests();
      } finally {
        stored.close();
      }
    };
    const headerDigest = '0'.repeat(32);
    expect(digestsOf({})).toEqual(new Map());
    expect(digestsOf({ headerDigest, digests: '{"x":"1"}' })).toEqual(new Map([['x', '1']]));
    for (const metadata of [
      { headerDigest },
      { digests: '{}' },
      { headerDigest, digests: '{' },
      { headerDigest, digests: '{"x":1}' },
      { headerDigest: '', digests: '{}' },
      { headerDigest: 'f'.repeat(32), digests: '{}' },
    ])
      expect(() => digestsOf(metadata), JSON.stringify(metadata)).toThrow(
        'its header does not match the digest written with it',
      );
  });

  it('replaces an older file only when the new one is whole', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    const plan = scriptedPlan('steps');
    const origin = { plan, runId: 'run', versions: {} };
    writeCheckpoint(file, scriptedState(1, 0), origin);
    const sync = vi.spyOn(fs, 'fsyncSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    });
    expect(() => {
      writeCheckpoint(file, scriptedState(2, 0), origin);
    }).toThrow('The disk is full');
    sync.mockRestore();
    expect(readCheckpoint(file).state).toEqual(scriptedState(1, 0));
    expect(fs.readdirSync(folder)).toEqual(['x.safetensors']);
  });

  const good = { x: tensor([2], 0, 8) };
  it.each([
    ['an empty file', () => Buffer.alloc(0), /it has 0 bytes, fewer than the 8/],
    [
      'a header longer than the file',
      () => Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 123]),
      /cut off: the header needs 208 bytes, the file has 9/,
    ],
    ['nothing but a length', () => Buffer.alloc(8), /its header is not JSON/],
    [
      'a header of the largest length that the file has not',
      () => Buffer.from([0, 0xe1, 0xf5, 0x05, 0, 0, 0, 0]),
      /cut off: the header needs 100000008 bytes, the file has 8/,
    ],
    [
      'a header that is larger by one',
      () => Buffer.from([1, 0xe1, 0xf5, 0x05, 0, 0, 0, 0]),
      /header claims 100000001 bytes/,
    ],
    [
      'a header that is no UTF-8',
      () =>
        Buffer.concat([
          Buffer.from([27, 0, 0, 0, 0, 0, 0, 0]),
          Buffer.from('{"__metadata__":{"\u00ff":"ab"}}', 'latin1'),
        ]),
      /its header is not JSON/,
    ],
    [
      'an absurd header length',
      () => Buffer.alloc(20, 255),
      /header claims 18446744073709551615 bytes, more than the 100000000 allowed/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    const file = path.join(temporaryFolder(), 'bad.safetensors');
    fs.writeFileSync(file, bytes());
    expect(() => new SafetensorsFile(file)).toThrow(message);
    expect(() => new SafetensorsFile(file)).toThrow(
      /bad\.safetensors is not a usable safetensors file.*Take another checkpoint/,
    );
  });

  it.each([
    ['a header that is no JSON', '{"x"', float([1, 2]), /its header is not JSON/],
    ['a header that is a list', [], float([]), /not a JSON object/],
    ['a header that is nothing', 'null', float([]), /not a JSON object/],
    ['a header that is a number', '5', float([]), /not a JSON object/],
    ['metadata that is not text', { __metadata__: { a: 1 }, ...good }, float([1, 2]), /not a map from text to text/],
    [
      'a tensor without offsets',
      { x: { dtype: 'F32', shape: [2] } },
      float([1, 2]),
      /"x" lacks a valid dtype, shape or data_offsets/,
    ],
    ['a negative shape', { x: tensor([-2], 0, 8) }, float([1, 2]), /"x" lacks a valid/],
    ['a type of half bytes that has too many', { x: tensor([3], 0, 8, 'F4') }, float([1, 2]), /needs 2 bytes, its/],
    ['an unknown type that ends before it begins', { x: tensor([2], 8, 0, 'F9') }, float([1, 2]), /offsets span -8/],
    [
      'a shape that does not fit its bytes',
      { x: tensor([3], 0, 8) },
      float([1, 2]),
      /shape \[3\] and dtype F32 needs 12 bytes, its offsets span 8/,
    ],
    ['overlapping tensors', { x: tensor([2], 0, 8), y: tensor([2], 4, 12) }, float([1, 2, 3]), /"y" overlap/],
    ['a gap', { x: tensor([1], 0, 4), y: tensor([1], 8, 12) }, float([1, 2, 3]), /gap before the bytes of tensor "y"/],
    ['missing data', good, float([1]), /cut off: its tensors need \d+ bytes, the file has \d+/],
    ['data too much', good, float([1, 2, 3]), /4 bytes follow its last tensor/],
  ])('refuses %s', (_, header, data, message) => {
    expect(() => new SafetensorsFile(fileOf(header, data))).toThrow(message);
  });

  it('has entries of dtype, shape and data_offsets, as a schema says them; what else they hold is passed over', () => {
    const entrySchema = z.object({
      dtype: z.string(),
      shape: z.array(z.int().min(0)),
      data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
    });
    const count = fc.constantFrom<unknown>(0, 0, 0, 1, -1, 0.5, 2 ** 53, '0', null, [0]);
    const dtype = fc.constantFrom<unknown>('F32', 'F32', 'F9', 4, null);
    const entry = fc.oneof(
      {
        weight: 9,
        arbitrary: fc.record(
          {
            dtype,
            shape: fc.array(count, { maxLength: 2 }),
            data_offsets: fc.array(count, { minLength: 1, maxLength: 3 }),
          },
          { requiredKeys: [] },
        ),
      },
      { weight: 3, arbitrary: fc.constant({ dtype: 'F32', shape: [0], data_offsets: [0, 0], more: 1 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<unknown>(null, 5, 'x', [], {}, [0, 0], {
          dtype: 'F32',
          shape: {},
          data_offsets: [0, 0],
        }),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<unknown>(
          { dtype: 'F32', shape: [0], data_offsets: {} },
          { dtype: 'F32', shape: '', data_offsets: '00' },
        ),
      },
    );
    const file = path.join(temporaryFolder(), 'x.safetensors');
    let good = 0;
    fc.assert(
      fc.property(entry, (value) => {
        const json = Buffer.from(JSON.stringify({ x: value }));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(json.length));
        fs.writeFileSync(file, Buffer.concat([length, json]));
        let message = '';
        try {
          new SafetensorsFile(file).close();
        } catch (error) {
          message = (error as Error).message;
        }
        const isEntry = entrySchema.safeParse(value).success;
        good += Number(isEntry);
        expect(message.includes('"x" lacks a valid dtype, shape or data_offsets')).toBe(!isEntry);
      }),
      { seed: 6, numRuns: 1000 },
    );
    expect(good).toBeGreaterThan(100);
  });

  it('may hold a map of text as its metadata, or none', () => {
    const data = float([1, 2]);
    for (const metadata of [undefined, null, {}]) {
      const stored = new SafetensorsFile(fileOf({ __metadata__: metadata, ...good }, data));
      expect(stored.metadata).toEqual({});
      stored.close();
    }
    for (const metadata of [5, 'text', ['a'], { a: null }, { a: { b: 'c' } }]) {
      expect(() => new SafetensorsFile(fileOf({ __metadata__: metadata, ...good }, data))).toThrow(
        'its metadata is not a map from text to text',
      );
    }
  });

  it('is read in parts of the length of the buffer that is given', () => {
    const stored = new SafetensorsFile(
      fileOf({ a: tensor([1], 0, 4), b: tensor([5], 4, 24) }, float([1, 2, 3, 4, 5, 6])),
    );
    const buffer = new Uint8Array(8);
    const partsOf = (index: number) =>
      Array.from(stored.readParts(stored.tensors[index]!, buffer), (part) => [
        ...new Float32Array(part.slice().buffer),
      ]);
    expect(partsOf(0)).toEqual([[1]]);
    expect(partsOf(1)).toEqual([[2, 3], [4, 5], [6]]);
    stored.close();
  });

  it('cut off at any length is refused', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    writeCheckpoint(file, scriptedState(1, 0), { plan: scriptedPlan('steps'), runId: 'run', versions: {} });
    const bytes = fs.readFileSync(file);
    for (let length = 0; length < bytes.length; length++) {
      fs.writeFileSync(file, bytes.subarray(0, length));
      expect(() => readCheckpoint(file), `${String(length)} bytes`).toThrow('is not a usable safetensors file');
    }
  });
});

describe('a checkpoint to train from', () => {
  it('must be of Kafscope', () => {
    expect(() => readCheckpoint(fileOf(good1, float([1])))).toThrow(/was not written by Kafscope, so there is no plan/);
  });

  it('must hold float32 only', () => {
    const plan = JSON.stringify(scriptedPlan('steps'));
    const metadata = { format: 'kafscope', plan, step: '1', epoch: '0', runId: 'run', versions: '{}' };
    const file = fileOf({ __metadata__: metadata, x: tensor([1], 0, 4, 'I32') }, float([1]));
    expect(() => readCheckpoint(file)).toThrow('tensor "x" should be F32, it is I32');
  });

  it('says when its metadata is damaged', () => {
    const header = { __metadata__: { format: 'kafscope', plan: '{', step: '1' }, ...good1 };
    expect(() => readCheckpoint(fileOf(header, float([1])))).toThrow('its Kafscope metadata is damaged');
  });

  it('says when it does not exist', () => {
    expect(() => readCheckpoint('/nowhere/x.safetensors')).toThrow('/nowhere/x.safetensors does not exist.');
  });
});

const good1 = { x: tensor([1], 0, 4) };
