import { expect, test } from 'vitest';
import { depthKinds } from '../../../server/health/depthGain.ts';
import { layerLines, NormTable, tensorLines } from '../../../webview/curves/normTable.ts';
import { acrossDepth, allLines, countNonFinite, singleCurve } from '../../../webview/dashboard/normCurves.ts';
import { attackCurves, histogramColumns } from '../../../webview/dashboard/normHistograms.ts';
import type { Palette } from '../../../webview/theme/palette.ts';
import { makeSnapshot } from '../gallery/runData.ts';

const palette = { clean: 'blue', dim: 'grey' } as Palette;
const snapshot = makeSnapshot({ steps: 1304, status: 'diverged', divergesAt: 1300 });
const parameters = snapshot.prepared!.parameters;
const table = new NormTable('gradients', tensorLines(parameters), 32);
table.update(snapshot.norms);
const options = { hidden: new Set<string>(), chosen: null, range: null, colorOf: () => 'red' };

test('every tensor has its line unless it is hidden', () => {
  const hidden = new Set(['conv1.bias', 'kaf2.alpha']);
  const names = allLines(snapshot.norms, table, { ...options, hidden }).map(({ name }) => name);
  const raw = names.filter((name) => !name.endsWith(', smooth'));
  expect(raw).toEqual(parameters.map(({ name }) => name).filter((name) => !hidden.has(name)));
});

test('zoomed in, a line is its rows and no longer its buckets', () => {
  const zoomed = allLines(snapshot.norms, table, { ...options, range: { from: 0, to: 100 } })[0]!;
  expect(Array.from(zoomed.x)).toEqual(snapshot.norms.step);
  expect(Array.from(zoomed.y)).toEqual(snapshot.norms.gradients.map((norms) => norms[0]));
});

test('few lines are the mean of their buckets between the lowest and the highest; of many the chosen one alone', () => {
  const few = allLines(snapshot.norms, table, {
    ...options,
    hidden: new Set(parameters.slice(3).map(({ name }) => name)),
  });
  for (const curve of few) {
    const { low, high } = curve.band!;
    Array.from(curve.y).forEach((mean, at) => {
      if (Number.isFinite(mean)) expect(low[at]! <= mean && mean <= high[at]!).toBe(true);
    });
  }
  const many = allLines(snapshot.norms, table, { ...options, chosen: 'conv2.kernel' });
  expect(many.filter(({ band }) => band).map(({ name }) => name)).toEqual(['conv2.kernel']);
});

test('one line keeps its non-finite end in the raw curve', () => {
  const [raw, smoothed] = singleCurve(snapshot.norms, table, table.lines.at(-1)!, palette);
  expect(Number.isFinite(Array.from(raw!.y).at(-1))).toBe(false);
  expect(smoothed!.hasNoMarks).toBe(true);
});

test('across depth there is one point a layer of a kind and a fit through those that are positive and finite', () => {
  const kinds = depthKinds(parameters);
  expect(kinds.map(({ name }) => name)).toEqual(['conv', 'dense', 'normalisation', 'activation']);
  const shape = kinds[0]!;
  const at = (norms: readonly number[], quantity: 'gradients' | 'weights' = 'gradients') => {
    const row = Float32Array.from(parameters, (_, index) => norms[shape.parameters.indexOf(index)] ?? 99);
    const columns = { ...snapshot.norms, gradients: [row], weights: [row] };
    return acrossDepth({ ...snapshot, norms: columns }, { quantity, row: 0, kind: shape }, palette);
  };
  const halved = shape.parameters.map((_, depth) => 0.5 ** depth);
  const depth = at(halved);
  expect(depth.names).toEqual(shape.parameters.map((index) => parameters[index]!.layer));
  expect(Array.from(depth.curves[0]!.y)).toEqual(halved);
  Array.from(depth.curves[1]!.y).forEach((value, index) => {
    expect(value).toBeCloseTo(halved[index]!, 6);
  });
  expect(depth.said).toBe('×2.00 a layer, backwards');
  expect(at(halved, 'weights').said).toBe('×0.50 a layer');
  expect(at([0, ...halved.slice(1, -1), Infinity]).said).toBe(
    `×2.00 a layer, backwards · 1 is 0: ${parameters[shape.parameters[0]!]!.layer} · 1 not finite`,
  );
  expect(at(halved.map(() => 0)).said).toBe(
    `${String(halved.length)} are 0: conv1, conv2, conv3 and ${String(halved.length - 3)} more`,
  );
});

test('non-finite values are counted over all tensors of a line', () => {
  const row = snapshot.norms.step.length - 1;
  const dense2 = layerLines(parameters).find(({ name }) => name === 'dense2')!;
  expect(countNonFinite(snapshot.norms, dense2, row)).toBe(128);
  expect(countNonFinite(snapshot.norms, dense2, 0)).toBe(0);
});

test('a histogram of one tensor is its part of each record, and attack gradients are the first and the last of a step', () => {
  const ofTensors = (scale: number) => ({
    ranges: Float32Array.of(-1, 1, -2 * scale, 2 * scale),
    bins: Uint8Array.from({ length: 64 }, (_, at) => at),
  });
  const record = { type: 'histograms', step: 5, weights: ofTensors(1), gradients: ofTensors(3) } as const;
  const [column] = histogramColumns([record], 'gradients', 1);
  expect(column).toMatchObject({ step: 5, low: -6, high: 6 });
  expect([column!.bins.length, column!.bins[0]]).toEqual([32, 32]);
  const norms = { ...snapshot.norms, step: [1, 2], attack: [Float32Array.of(1, 2, 3), new Float32Array()] };
  const curves = attackCurves(norms, palette);
  expect(curves.map(({ y }) => Array.from(y))).toEqual([
    [1, Number.NaN],
    [3, Number.NaN],
  ]);
  expect(attackCurves({ ...norms, attack: [new Float32Array()] }, palette)).toEqual([]);
});
