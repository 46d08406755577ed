import { expect, test } from 'vitest';
import { layerLines, NormTable, tensorLines } from '../../../webview/curves/normTable.ts';
import { acrossDepth, allLines, countNonFinite, singleCurve } from '../../../webview/dashboard/normCurves.ts';
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

test('one line keeps its non-finite end in the raw curve', () => {
  const [raw, smoothed] = singleCurve(snapshot.norms, table, table.lines.at(-1)!, palette);
  expect(Number.isFinite(Array.from(raw!.y).at(-1))).toBe(false);
  expect(smoothed!.hasNoMarks).toBe(true);
});

test('across depth there is one point a layer and a fit through those that are finite', () => {
  const row = snapshot.norms.step.length - 1;
  const depth = acrossDepth(snapshot, 'gradients', row, palette);
  expect(depth.names).toEqual(layerLines(parameters).map(({ name }) => name));
  expect(depth.growth).toBeGreaterThan(1);
  expect(Array.from(depth.curves[1]!.y).every(Number.isFinite)).toBe(true);
});

test('non-finite values are counted over all tensors of a line', () => {
  const row = snapshot.norms.step.length - 1;
  const dense2 = layerLines(parameters).find(({ name }) => name === 'dense2')!;
  expect(countNonFinite(snapshot.norms, dense2, row)).toBe(128);
  expect(countNonFinite(snapshot.norms, dense2, 0)).toBe(0);
});
