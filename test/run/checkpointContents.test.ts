// What the inspector is told of a file, ours or another program's.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { encode } from '../../server/protocol/codec.ts';
import { maxMessageBytes } from '../../server/protocol/messages.ts';
import { inspectCheckpoint } from '../../server/run/checkpointContents.ts';
import { SafetensorsFile } from '../../server/run/safetensors.ts';
import { inspectCommand } from '../../server/terminal/inspectCommand.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { readValues } from '../../server/run/tensorValues.ts';
import { linesOf, writeRaw, writeTensors, zeroKaf } from './checkpointFiles.ts';
import { temporaryFolder } from './scriptedRun.ts';

const golden = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'golden/safetensorsFile.json'), 'utf8')) as {
  file: string;
  values: Record<string, number[]>;
};

const empty = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };

describe('inspectCheckpoint', () => {
  it('reads every dtype as the safetensors library wrote it', async () => {
    const file = path.join(temporaryFolder(), 'golden.safetensors');
    fs.writeFileSync(file, Buffer.from(golden.file, 'base64'));
    const contents = await inspectCheckpoint(file);
    expect(contents.origin).toBeNull();
    expect(contents.metadata).toEqual({ made: 'by safetensors' });
    expect(contents.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(golden.values).sort());
    const stored = new SafetensorsFile(file);
    for (const tensor of stored.tensors) {
      expect([...Array.from(readValues(tensor.dtype, stored.read(tensor)))], tensor.name).toEqual(
        golden.values[tensor.name],
      );
    }
    stored.close();
  });

  it('gives statistics of the finite values and counts the others', async () => {
    const values = [1, 2, Number.NaN, 3, Infinity, -2, -Infinity];
    const { tensors } = await inspectCheckpoint(writeTensors({ 'model/x': { shape: [7], values } }));
    const { l2, min, max, mean, std, nonFinite, histogram, group } = tensors[0]!;
    expect({ min, max, mean, nonFinite, group }).toEqual({ min: -2, max: 3, mean: 1, nonFinite: 3, group: 'model' });
    expect(l2).toBeCloseTo(Math.sqrt(18), 12);
    expect(std).toBeCloseTo(Math.sqrt(14 / 4), 12);
    expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect([histogram[0], histogram.at(-1)]).toEqual([1, 1]);
  });

  it('has an answer for tensors of one value, of none, and of none that is finite', async () => {
    const file = writeTensors({
      one: { shape: [], values: [4] },
      none: { shape: [0], values: [] },
      broken: { shape: [2], values: [Number.NaN, Infinity] },
    });
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors[0]).toMatchObject({ min: 4, max: 4, mean: 4, std: 0, l2: 4, group: 'other' });
    expect(tensors[0]!.histogram[0]).toBe(1);
    expect(tensors[1]).toMatchObject({ values: 0, nonFinite: 0, mean: Number.NaN });
    expect(tensors[2]).toMatchObject({ values: 2, nonFinite: 2, min: Number.NaN });
    for (const { histogram } of tensors.slice(1)) expect(histogram).toEqual(new Array(40).fill(0));
  });

  it('counts values in forty bins of equal width, from the least to the greatest', async () => {
    // A width of one: what lies on an edge belongs above it, the greatest to the last.
    const { tensors } = await inspectCheckpoint(writeTensors({ x: { shape: [6], values: [0, 0.5, 1, 1.25, 39, 40] } }));
    const expected = new Array<number>(40).fill(0);
    expected[0] = 2;
    expected[1] = 2;
    expected[39] = 2;
    expect(tensors[0]!.histogram).toEqual(expected);
  });

  it('leaves no file open', async () => {
    const file = writeTensors({ x: { shape: [1], values: [1] } });
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    try {
      await inspectCheckpoint(file);
      expect(closed.mock.calls).toEqual([[opened.mock.results[0]!.value]]);
    } finally {
      opened.mockRestore();
      closed.mockRestore();
    }
  });

  it('lists tensors of types whose values are not read beside those that are, and says of which they are', async () => {
    const entries = {
      x: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] },
      z: { dtype: 'C64', shape: [1], data_offsets: [2, 10] },
    };
    const json = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const file = path.join(temporaryFolder(), 'mixed.safetensors');
    fs.writeFileSync(file, Buffer.concat([length, json, Buffer.from([0x38, 0xb8]), Buffer.alloc(8)]));
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors).toMatchObject([
      { name: 'x', dtype: 'F8_E4M3', values: 2, min: -1, max: 1, mean: 0 },
      { name: 'z', dtype: 'C64', values: 1, l2: Number.NaN, nonFinite: 0, histogram: [], isUnread: true },
    ]);
    expect(await linesOf(file)).toContain('no figures of C64, whose values are not read');
  });

  it('shows a tensor whose bytes are not those written as damaged, beside the others', async () => {
    const file = writeTensors({ x: { shape: [1], values: [1] }, y: { shape: [1], values: [2] } });
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    const { tensors } = await inspectCheckpoint(file);
    expect(tensors.map(({ name, isDamaged }) => [name, isDamaged])).toEqual([
      ['x', undefined],
      ['y', true],
    ]);
    let written = '';
    const output = { write: (text: string) => (written += text) };
    expect(await inspectCommand(file, new Terminal({ isJson: false, output, errors: output }))).toBe(1);
    expect(written).toContain('tensor "y" is damaged: its bytes do not match');
  });

  it('reads a tensor of any size in parts, with the figures and the digest of all of it', async () => {
    const values = Float32Array.from({ length: 1_500_000 }, (_, index) => Math.sin(index));
    const file = writeTensors({ whole: { shape: [1_500_000], values }, damaged: { shape: [1500, 1000], values } });
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    const read = vi.spyOn(fs, 'readSync');
    const { tensors } = await inspectCheckpoint(file);
    const lengths = read.mock.calls.map((call) => (call as unknown[])[3] as number);
    read.mockRestore();
    expect(Math.max(...lengths)).toBe(4 * 2 ** 20);
    expect(tensors.map(({ isDamaged }) => isDamaged)).toEqual([undefined, true]);
    const { values: count, mean, histogram } = tensors[0]!;
    expect([count, mean]).toEqual([1_500_000, values.reduce((sum, value) => sum + value, 0) / values.length]);
    expect(histogram.reduce((sum, each) => sum + each, 0)).toBe(1_500_000);
  });

  it('leaves out what follows the first ten thousand tensors, and says how many', async () => {
    const file = writeRaw(
      Object.fromEntries(Array.from({ length: 10_003 }, (_, index) => [`t${String(index)}`, empty])),
    );
    const { tensors, omittedTensors } = await inspectCheckpoint(file);
    expect([tensors.length, tensors.at(-1)!.name, omittedTensors]).toEqual([10_000, 't9999', 3]);
    const lines = await linesOf(file);
    expect(lines[0]).toContain('· 10003 tensors');
    expect(lines.at(-1)).toBe('… and 3 more tensors, which were not read');
  });

  it('leaves out tensors whose name and shape are too long to show, and says how many', async () => {
    const zeros = (rank: number) => ({ ...empty, shape: new Array<number>(rank).fill(0) });
    const file = writeRaw({
      ['ä'.repeat(496)]: zeros(0 + 1),
      ['ä'.repeat(495)]: zeros(1),
      b: zeros(111),
      bb: zeros(111),
      last: zeros(1),
    });
    const { tensors, omittedTensors } = await inspectCheckpoint(file);
    expect(tensors.map(({ name }) => name.length)).toEqual([495, 1, 4]);
    expect(omittedTensors).toBe(2);
  });

  it('leaves out metadata that is too long to show, and says how many entries', async () => {
    const long = 'x'.repeat(600_000);
    const json = `{"__metadata__":{"a":"${long}","b":"${long}","__proto__":"c","d":"e"}}`;
    const { metadata, omittedMetadata } = await inspectCheckpoint(writeRaw(json));
    expect([Object.keys(metadata), omittedMetadata]).toEqual([['a', 'd'], 2]);
  });

  it('gives an answer that can be sent, however long all in the file is', async () => {
    const named = (prefix: string) =>
      Array.from({ length: 10_001 }, (_, index) => [`${prefix.repeat(300)}${String(index)}`, empty] as const);
    let end = 0;
    const kafs = ['a', 'b', 'c'].map((name) => {
      const kaf = zeroKaf(name, [1000, 900], end);
      end = kaf.end;
      return kaf.entries;
    });
    const header = {
      __metadata__: Object.fromEntries(Array.from({ length: 100 }, (_, key) => [String(key), 'x'.repeat(100_000)])),
      ...(Object.assign({}, ...kafs) as object),
      ...Object.fromEntries([...named('€'), ...named('𝒙')]),
    };
    const contents = await inspectCheckpoint(writeRaw(header, Buffer.alloc(end)));
    const { omittedTensors, omittedActivations, omittedMetadata } = contents;
    expect([contents.tensors.length, omittedTensors, omittedActivations, omittedMetadata]).toEqual([
      ...[10_000, 10_011, 2, 90],
    ]);
    expect(encode(contents).byteLength).toBeLessThan(maxMessageBytes / 2);
  });

  it('refuses a damaged file', async () => {
    const file = writeTensors({ x: { shape: [2], values: [1, 2] } });
    fs.truncateSync(file, fs.statSync(file).size - 1);
    await expect(inspectCheckpoint(file)).rejects.toThrow('it is cut off');
  });
});
