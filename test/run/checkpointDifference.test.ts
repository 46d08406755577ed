// What is told of two files, and of a part of a kernel.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelLayout, kernelPage, kernelPages } from '../../server/protocol/kernelLayout.ts';
import { compareCheckpoints } from '../../server/run/checkpointDifference.ts';
import { writeCheckpoint } from '../../server/run/checkpointFile.ts';
import { readKernel } from '../../server/run/kernelPictures.ts';
import { partBytes, writeHeader, writeSafetensors } from '../../server/run/safetensors.ts';
import { scriptedPlan, scriptedState } from './scriptedTrainer.ts';
import { temporaryFolder, watchFiles } from './scriptedRun.ts';

type Tensors = Record<string, { shape: number[]; values: ArrayLike<number> }>;

function write(tensors: Tensors, name = 'x'): string {
  const file = path.join(temporaryFolder(), `${name}.safetensors`);
  const map = Object.entries(tensors).map(
    ([key, { shape, values }]) => [key, { shape, values: Float32Array.from(values) }] as const,
  );
  writeSafetensors(file, new Map(map), {});
  return file;
}

/** Of float64, by hand. */
function writeDoubles(name: string, values: readonly number[]): string {
  const { header } = writeHeader([{ name, dtype: 'F64', shape: [values.length] }], {});
  const file = path.join(temporaryFolder(), 'doubles.safetensors');
  fs.writeFileSync(file, Buffer.concat([header, Buffer.from(Float64Array.from(values).buffer)]));
  return file;
}

describe('the difference of two checkpoints', () => {
  it('is of each tensor its norm, its share of the weights and its largest value', async () => {
    const one = write({ 'model/w': { shape: [3], values: [3, 0, 4] }, 'model/b': { shape: [2], values: [0, 0] } });
    const two = write({ 'model/w': { shape: [3], values: [3, 2, 3] }, 'model/b': { shape: [2], values: [0, 0] } });
    const { tensors, unmatched, file, other } = await compareCheckpoints(one, two);
    expect([file, other, unmatched]).toEqual([one, two, 0]);
    const [w, b] = tensors;
    expect(w).toMatchObject({ name: 'model/w', largest: 2, nonFinite: 0, min: 0, max: 4 });
    expect(w!.l2).toBeCloseTo(Math.sqrt(5), 12);
    expect(w!.relative).toBeCloseTo(Math.sqrt(5) / 5, 12);
    expect(b).toMatchObject({ l2: 0, relative: Number.NaN, largest: 0 });
  });

  it('counts both in the same bins', async () => {
    const one = write({ w: { shape: [4], values: [0, 0, 0, 0] } });
    const two = write({ w: { shape: [4], values: [-1, 1, 1, 1] } });
    const { histogram, otherHistogram, min, max } = (await compareCheckpoints(one, two)).tensors[0]!;
    expect([min, max]).toEqual([-1, 1]);
    expect([otherHistogram[0], otherHistogram.at(-1)]).toEqual([1, 3]);
    expect(histogram[histogram.length / 2]).toBe(4);
    expect(histogram).toHaveLength(otherHistogram.length);
  });

  it('leaves out what is not finite in one of them, and counts it', async () => {
    const one = write({ w: { shape: [4], values: [1, Number.NaN, 2, Infinity] } });
    const two = write({ w: { shape: [4], values: [1, 5, -Infinity, Infinity] } });
    const { l2, nonFinite, min, max, ...counts } = (await compareCheckpoints(one, two)).tensors[0]!;
    expect({ l2, nonFinite, min, max }).toEqual({ l2: 0, nonFinite: 3, min: 1, max: 1 });
    expect(counts.histogram.filter((count) => count > 0)).toEqual([1]);
    expect(counts.otherHistogram).toEqual(counts.histogram);
    const none = write({ w: { shape: [1], values: [Number.NaN] } });
    const { relative, largest, min: least } = (await compareCheckpoints(none, none)).tensors[0]!;
    expect([relative, largest, least]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it('counts tensors that the other lacks or has with another shape', async () => {
    const one = write({ a: { shape: [2], values: [1, 2] }, b: { shape: [1, 2], values: [1, 2] } });
    const two = write({ b: { shape: [2, 1], values: [1, 2] }, c: { shape: [1], values: [1] } });
    expect(await compareCheckpoints(one, two)).toMatchObject({ tensors: [], unmatched: 2 });
  });

  it('leaves no file open, nor does a part of a kernel', async () => {
    const one = write({ w: { shape: [1, 1], values: [1] } });
    const watched = watchFiles();
    await compareCheckpoints(one, one);
    readKernel(one, { tensor: 'w', input: 0, page: 0 });
    const { opened, closed } = watched();
    expect(opened).toHaveLength(3);
    expect(closed).toEqual(opened);
  });

  it('is the same however the files are cut into parts, and whatever their types', async () => {
    const n = partBytes / 8 + 3;
    const values = Float32Array.from({ length: n }, (_, index) => Math.sin(index));
    const one = write({ w: { shape: [n], values } });
    const two = writeDoubles(
      'w',
      [...values].map((value, index) => (index === n - 1 ? value + 3 : value)),
    );
    const [tensor] = (await compareCheckpoints(one, two)).tensors;
    expect(tensor!.l2).toBeCloseTo(3, 12);
    expect(tensor!.histogram.reduce((sum, count) => sum + count, 0)).toBe(n);
  });

  it('names where the other is from, has its curves and says what of it is damaged', async () => {
    const folder = temporaryFolder();
    const [one, two] = [1, 2].map((step) => {
      const file = path.join(folder, `step-${String(step)}.safetensors`);
      writeCheckpoint(file, scriptedState(step, 1), { plan: scriptedPlan('steps'), runId: 'run', versions: {} });
      return file;
    }) as [string, string];
    const whole = await compareCheckpoints(one, two);
    expect(whole.otherOrigin).toEqual({ runId: 'run', step: 2, epoch: 1 });
    expect(whole.tensors.some(({ isOtherDamaged }) => isOtherDamaged)).toBe(false);
    const bytes = fs.readFileSync(two);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(two, bytes);
    const damaged = (await compareCheckpoints(one, two)).tensors.filter(({ isOtherDamaged }) => isOtherDamaged);
    expect(damaged).toHaveLength(1);
    const curves = write({
      'act.alpha': { shape: [2, 4], values: [1, 2, 3, 4, 5, 6, 7, 8] },
      'act.dict': { shape: [4], values: [-3, -1, 1, 3] },
    });
    expect((await compareCheckpoints(curves, curves)).activations[0]).toMatchObject({ layer: 'act', channels: 2 });
  });
});

describe('the pictures of a kernel', () => {
  const [height, width, inputs, outputs] = [2, 3, 2, 70];
  const value = (y: number, x: number, input: number, output: number) => ((y * 10 + x) * 10 + input) * 100 + output;
  const indices = (count: number) => Array.from({ length: count }, (_, index) => index);

  it.each(['hwio', 'oihw'] as const)('are the filters of an input channel, page by page, of %s', (order) => {
    const all = { y: indices(height), x: indices(width), i: indices(inputs), o: indices(outputs) };
    const values =
      order === 'hwio'
        ? all.y.flatMap((y) => all.x.flatMap((x) => all.i.flatMap((i) => all.o.map((o) => value(y, x, i, o)))))
        : all.o.flatMap((o) => all.i.flatMap((i) => all.y.flatMap((y) => all.x.map((x) => value(y, x, i, o)))));
    const shape = order === 'hwio' ? [height, width, inputs, outputs] : [outputs, inputs, height, width];
    const file = write({ w: { shape, values } });
    const layout = kernelLayout(shape, false)!;
    expect(layout.order).toBe(order);
    for (let page = 0; page < kernelPages(layout); page++) {
      const { firstOutput, count } = kernelPage(layout, page);
      const pictures = readKernel(file, { tensor: 'w', input: 1, page });
      expect(pictures).toMatchObject({ file, tensor: 'w', input: 1, page });
      expect([...pictures.values]).toEqual(
        indices(count).flatMap((o) => all.y.flatMap((y) => all.x.map((x) => value(y, x, 1, firstOutput + o)))),
      );
    }
  });

  it('are the parts of a matrix', () => {
    const values = indices(70 * 66);
    const file = write({ w: { shape: [70, 66], values } });
    const layout = kernelLayout([70, 66], false)!;
    for (let page = 0; page < kernelPages(layout); page++) {
      const part = kernelPage(layout, page);
      const expected = indices(part.height).flatMap((row) =>
        indices(part.width).map((column) => (part.firstRow + row) * 66 + part.firstColumn + column),
      );
      expect([...readKernel(file, { tensor: 'w', input: 0, page }).values]).toEqual(expected);
    }
  });

  it('are refused where there are none', () => {
    const file = write({ w: { shape: [3, 3, 2, 4], values: indices(72) }, b: { shape: [4], values: indices(4) } });
    for (const question of [
      { tensor: 'b', input: 0, page: 0 },
      { tensor: 'w', input: 2, page: 0 },
      { tensor: 'w', input: 0, page: 1 },
      { tensor: 'x', input: 0, page: 0 },
    ]) {
      expect(() => readKernel(file, question)).toThrow('no such kernel');
    }
  });
});
