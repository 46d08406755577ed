import { describe, expect, test } from 'vitest';
import type { NormColumns } from '../../../server/protocol/snapshot.ts';
import { layerLines, normAt, NormTable, tensorLines } from '../../../webview/curves/normTable.ts';

const parameters = [
  { name: 'conv1.kernel', layer: 'conv1', shape: [3] },
  { name: 'conv1.bias', layer: 'conv1', shape: [1] },
  { name: 'kaf1.alpha', layer: 'kaf1', shape: [2] },
];

function columns(rows: number, gradient: (row: number, index: number) => number): NormColumns {
  const every = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
  return {
    ...{ seen: rows, every: 1, firstNonFinite: null },
    step: every((row) => (row + 1) * 10),
    weights: every(() => Float32Array.of(3, 4, 2)),
    gradients: every((row) => Float32Array.from(parameters, (_, index) => gradient(row, index))),
    before: every(() => Float32Array.of(3, 4, 2)),
    updates: every((row) => Float32Array.of(0.03, 0.04, (row + 1) / 1000)),
    attack: every(() => new Float32Array()),
    nonFiniteWeights: every(() => new Int32Array(3)),
    nonFiniteGradients: every((row) =>
      Int32Array.from(parameters, (_, index) => (Number.isFinite(gradient(row, index)) ? 0 : 1)),
    ),
  };
}

describe('a line', () => {
  test('of a layer joins its tensors; the ratio is gradient over weight', () => {
    const lines = layerLines(parameters);
    const data = columns(1, () => 1);
    expect(lines.map(({ name, members }) => [name, members])).toEqual([
      ['conv1', [0, 1]],
      ['kaf1', [2]],
    ]);
    expect(normAt(data, 'weights', lines[0]!, 0)).toBe(5);
    expect(normAt(data, 'gradients', lines[0]!, 0)).toBeCloseTo(Math.SQRT2, 12);
    expect(normAt(data, 'ratio', lines[1]!, 0)).toBe(0.5);
  });
});

describe('the table', () => {
  test('keeps spikes and non-finite values however many rows merge', () => {
    const data = columns(3000, (row, index) =>
      row === 1234 && index === 1 ? 99 : row === 2222 && index === 2 ? Number.NaN : 1,
    );
    const table = new NormTable('gradients', tensorLines(parameters), 64);
    table.update(data);
    expect(table.buckets.length).toBeLessThanOrEqual(64);
    expect(table.extent()).toEqual({ low: 1, high: 99 });
    expect(Math.max(...table.curve(1).band.high)).toBe(99);
    expect(Math.max(...table.curve(1).y)).toBeCloseTo(1 + 98 / 64, 12);
    expect(table.curve(2).y.filter(Number.isNaN)).toHaveLength(1);
    expect(table.curve(0).y.every((value) => value === 1)).toBe(true);
  });

  test('grown row by row equals the one built at once', () => {
    const data = columns(777, (row, index) => 1 + Math.abs(Math.sin(row * 3 + index)));
    const whole = new NormTable('ratio', layerLines(parameters), 50);
    whole.update(data);
    const grown = new NormTable('ratio', layerLines(parameters), 50);
    for (let rows = 0; rows <= 777; rows += 37) {
      grown.update({ ...data, step: data.step.slice(0, rows) });
    }
    grown.update(data);
    expect(grown.buckets).toEqual(whole.buckets);
  });

  test('of a resumed run forgets the steps that it repeats', () => {
    const data = columns(6, (row) => row + 1);
    data.step.splice(0, 6, 10, 20, 30, 20, 30, 40);
    const table = new NormTable('gradients', tensorLines(parameters), 64);
    table.update(data);
    expect(table.kept).toEqual([0, 3, 4, 5]);
    expect(table.curve(0)).toMatchObject({ x: [10, 20, 30, 40], y: [1, 4, 5, 6] });
  });

  test('takes in an update when it is told, and nothing for steps that none was told of', () => {
    const data = columns(4, () => 1);
    data.updates[1] = new Float32Array();
    data.updates[3] = new Float32Array();
    const table = new NormTable('update', layerLines(parameters), 64);
    table.update(data);
    expect(table.kept).toEqual([0, 2]);
    data.updates[3] = Float32Array.of(0.3, 0.4, 1);
    table.update(data);
    expect(table.kept).toEqual([0, 2, 3]);
    expect(table.curve(0).y[0]).toBeCloseTo(0.01, 7);
    expect(table.curve(0).y[2]).toBeCloseTo(0.1, 7);
    expect(table.curve(1).y[2]).toBe(0.5);
  });

  test('shows the buckets of a long run, and no rows beside them', () => {
    const table = new NormTable('gradients', layerLines(parameters), 8);
    const series = (tag: string, low: number, high: number, marks: number) => ({
      ...{ tag, first: Float32Array.of(low), low: Float32Array.of(low), high: Float32Array.of(high) },
      ...{ last: Float32Array.of(high), mean: Float32Array.of(low + 1), marks: Uint8Array.of(marks) },
    });
    table.show({
      ...{ rowsPerBucket: 64, firstRow: 0, firstStep: Float64Array.of(1), lastStep: Float64Array.of(64) },
      ...{ firstMs: Float64Array.of(0), lastMs: Float64Array.of(0) },
      series: [series('gradients/kaf1.alpha', Number.NaN, Number.NaN, 1), series('gradients/conv1/*', 2, 5, 0)],
    });
    table.update(columns(30, () => 9));
    expect(table.kept).toHaveLength(30);
    expect(table.buckets).toHaveLength(1);
    expect(table.extent()).toEqual({ low: 2, high: 5 });
    expect(table.curve(0)).toEqual({ x: [32.5], y: [3], band: { low: [2], high: [5] } });
    expect(table.curve(1)).toMatchObject({ x: [64], y: [Number.NaN] });
  });
});
