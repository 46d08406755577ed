// The file of the images that an evaluation keeps: filled batch by batch, read at any time, and replaced by nothing but another evaluation's.
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeptBatch } from '../../server/attack/keptImages.ts';
import { AttackedImagesFile, attackedImagesName, readAttackedImages } from '../../server/run/attackedImages.ts';
import { BadCheckpointError, SafetensorsFile, writeHeader } from '../../server/run/safetensors.ts';
import { StorageError } from '../../server/run/storageError.ts';
import { attackPlan } from '../attack/plans.ts';
import { temporaryFolder, watchFiles } from './scriptedRun.ts';

const evaluation = attackPlan('pgd', { keep: 5 });
const all = { first: 0, count: 100 };
let file: string;

beforeEach(() => {
  file = path.join(temporaryFolder(), attackedImagesName(960, 3));
});

/** Images of two values, told from each other by every number. */
function imagesFrom(first: number, count: number) {
  const own = Array.from({ length: count }, (_, index) => first + index);
  return {
    clean: Float32Array.from(own.flatMap((image) => [image, image + 0.25])),
    attacked: Float32Array.from(own.flatMap((image) => [image + 0.5, image + 0.75])),
    labels: Int32Array.from(own),
    predictions: Int32Array.from(own, (image) => 2 * image),
    distances: Float32Array.from(own, (image) => image / 8),
    outcomes: Uint8Array.from(own, (image) => image % 3),
  };
}

function batchOf(first: number, count: number, total = 5): KeptBatch {
  return { ...imagesFrom(first, count), first, total, shape: [2, 1], classes: ['cat', 'dog'] };
}

function write(batches: readonly KeptBatch[], of = evaluation): void {
  const images = new AttackedImagesFile(file, { evaluation: of, runId: 'a-run' });
  for (const batch of batches) images.write(batch);
  images.close();
}

/** As they are read, of the first so many that are attacked. */
function read(first: number, count: number, total: number) {
  return { ...imagesFrom(first, count), first, total, shape: [2, 1], classes: ['cat', 'dog'] };
}

describe('the file of the images kept', () => {
  it('is named by the step and the evaluation', () => {
    expect(path.basename(file)).toBe('step-960.attack-3.safetensors');
  });

  it('holds what was attacked so far, and is read in parts', () => {
    write([batchOf(0, 2)]);
    const { size } = fs.statSync(file);
    expect(readAttackedImages(file, all)).toEqual(read(0, 2, 2));
    write([batchOf(2, 1), batchOf(3, 2)]);
    expect(fs.statSync(file).size).toBe(size);
    expect(readAttackedImages(file, all)).toEqual(read(0, 5, 5));
    expect(readAttackedImages(file, { first: 1, count: 3 })).toEqual(read(1, 3, 5));
    expect(readAttackedImages(file, { first: 4, count: 2 })).toEqual(read(4, 1, 5));
    for (const first of [5, 9]) expect(readAttackedImages(file, { first, count: 2 })).toEqual(read(first, 0, 5));
  });

  it('says what it is of to whoever reads safetensors', () => {
    write([batchOf(0, 5)]);
    const stored = new SafetensorsFile(file);
    expect(stored.metadata).toEqual({
      ...{ format: 'kafscope attacked images', runId: 'a-run', classes: '["cat","dog"]' },
      evaluation: JSON.stringify(evaluation),
    });
    expect(stored.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['clean', 'F32', [5, 2, 1]],
      ['attacked', 'F32', [5, 2, 1]],
      ['labels', 'I32', [5]],
      ['predictions', 'I32', [5]],
      ['distances', 'F32', [5]],
      ['outcomes', 'U8', [5]],
    ]);
    stored.close();
  });

  it('has of parts of larger buffers no more than these', () => {
    const [batch, others] = [batchOf(0, 2), imagesFrom(7, 9)];
    const within = <Values extends Float32Array | Int32Array | Uint8Array>(values: Values, around: Values) => {
      const buffer = around.slice() as Values;
      buffer.set(values, 1);
      return buffer.subarray(1, 1 + values.length) as Values;
    };
    const clean = within(batch.clean, others.clean);
    const labels = within(batch.labels, others.labels);
    const outcomes = within(batch.outcomes, others.outcomes);
    write([{ ...batch, clean, labels, outcomes }]);
    expect(readAttackedImages(file, all)).toEqual(read(0, 2, 2));
  });

  it('is whole where the disk takes three bytes at a time', () => {
    const writeSync = fs.writeSync as (...of: unknown[]) => number;
    const short = vi.spyOn(fs, 'writeSync').mockImplementation(((
      ...given: [number, Uint8Array, number, number, number]
    ) => {
      const [descriptor, bytes, offset, length, position] = given;
      return writeSync(descriptor, bytes, offset, Math.min(3, length), position);
    }) as typeof fs.writeSync);
    try {
      write([batchOf(0, 2), batchOf(2, 2)]);
      expect(short.mock.calls.length).toBeGreaterThan(20);
    } finally {
      short.mockRestore();
    }
    expect(readAttackedImages(file, all)).toEqual(read(0, 4, 4));
  });

  it('begins anew with the first batch, and for another evaluation', () => {
    write([batchOf(0, 2), batchOf(2, 3)]);
    write([batchOf(0, 1)]);
    expect(readAttackedImages(file, all)).toEqual(read(0, 1, 1));
    write([batchOf(1, 1)]);
    expect(readAttackedImages(file, all)).toEqual(read(0, 2, 2));
    write([batchOf(2, 3)], { ...evaluation, epsilon: 0.5 });
    // What came before is not known.
    expect(readAttackedImages(file, all)).toEqual(read(0, 0, 0));
    fs.rmSync(file);
    write([batchOf(2, 3)]);
    expect(readAttackedImages(file, all)).toEqual(read(0, 0, 0));
    write([batchOf(0, 2)], { ...evaluation, epsilon: 0.5 });
    write([batchOf(2, 3)], { ...evaluation, epsilon: 0.5 });
    expect(readAttackedImages(file, all)).toEqual(read(0, 5, 5));
  });

  it('is never written through a link', () => {
    const outside = path.join(temporaryFolder(), 'outside');
    fs.writeFileSync(outside, 'elsewhere');
    fs.symlinkSync(outside, file);
    write([batchOf(0, 2)]);
    expect(fs.readFileSync(outside, 'utf8')).toBe('elsewhere');
    expect(readAttackedImages(file, all)).toEqual(read(0, 2, 2));
  });

  it('is on the disk after each batch, and left open by nobody', () => {
    const watched = watchFiles();
    const written = vi.spyOn(fs, 'writeSync');
    const synced = vi.spyOn(fs, 'fsyncSync');
    try {
      write([batchOf(0, 2), batchOf(2, 3)]);
      expect(synced).toHaveBeenCalledTimes(2);
      expect(synced.mock.invocationCallOrder[1]).toBeGreaterThan(written.mock.invocationCallOrder.at(-1)!);
    } finally {
      written.mockRestore();
      synced.mockRestore();
    }
    write([batchOf(2, 3)], { ...evaluation, epsilon: 0.5 });
    new AttackedImagesFile(file, { evaluation, runId: 'a-run' }).close();
    readAttackedImages(file, all);
    const { opened, closed } = watched();
    expect(opened).toHaveLength(4);
    expect(closed).toEqual(opened);
  });

  it('that can not be written says so with its name', () => {
    const images = new AttackedImagesFile(path.join(file, 'x'), { evaluation, runId: 'a-run' });
    expect(() => {
      images.write(batchOf(0, 2));
    }).toThrow(StorageError);
    expect(() => {
      images.write(batchOf(0, 2));
    }).toThrow(path.join(file, 'x'));
  });
});

describe('a file of other images', () => {
  /** With these entries in the place of what an evaluation of no images would have. */
  function writeOther(change: Readonly<Record<string, readonly [dtype: string, shape: number[]]>>, metadata = {}) {
    const columns = {
      ...{ clean: ['F32', [1, 2]], attacked: ['F32', [1, 2]], labels: ['I32', [1]], predictions: ['I32', [1]] },
      ...{ distances: ['F32', [1]], outcomes: ['U8', [1]], ...change },
    } as Record<string, readonly ['F32' | 'I32' | 'U8', number[]]>;
    const tensors = Object.entries(columns).map(([name, [dtype, shape]]) => ({ name, dtype, shape }));
    const { header, sizeBytes } = writeHeader(tensors, { format: 'kafscope attacked images', ...metadata });
    fs.writeFileSync(file, Buffer.concat([header, Buffer.alloc(sizeBytes)]));
  }

  it('that has all that there should be is read, without names of classes as well', () => {
    writeOther({});
    expect(readAttackedImages(file, all)).toMatchObject({ total: 1, classes: [], shape: [2] });
    writeOther({}, { classes: `["${'x'.repeat(1000)}"]` });
    expect(readAttackedImages(file, all).classes[0]).toHaveLength(1000);
  });

  it.each([
    ['another format', {}, { format: 'kafscope checkpoint' }],
    ['another type', { labels: ['F32', [1]] }, {}],
    ['a tensor too few', { outcomes: ['I32', [1]] }, {}],
    ['other lengths', { distances: ['F32', [2]] }, {}],
    ['classes that are none', {}, { classes: '[1]' }],
    ['classes that are no JSON', {}, { classes: '[' }],
    ['names of any length', {}, { classes: `["${'x'.repeat(1001)}"]` }],
  ] as const)('is refused for %s', (_, change, metadata) => {
    writeOther(change as Parameters<typeof writeOther>[0], metadata);
    expect(() => readAttackedImages(file, all)).toThrow(BadCheckpointError);
    expect(() => readAttackedImages(file, all)).toThrow(`${path.basename(file)} holds no attacked images`);
  });

  it('is refused where it is missing', () => {
    expect(() => readAttackedImages(file, all)).toThrow(BadCheckpointError);
  });
});
