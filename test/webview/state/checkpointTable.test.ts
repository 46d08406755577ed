import { expect, test } from 'vitest';
import { groupsOf, shapesOf, shownSection, summarize, tensorRows } from '../../../webview/state/checkpointTable.ts';
import { makeCheckpoint, makeDifference, makeForeignCheckpoint } from '../gallery/checkpointData.ts';

const contents = makeCheckpoint({ nonFinite: 3 });

test('rows are of one group, filtered by name, in the file’s order by default', () => {
  const rows = tensorRows(contents, { group: 'model', filter: ' KERNEL ', order: 'file', isDescending: false });
  expect(rows.map(({ name }) => name)).toEqual([
    'model/conv1.kernel',
    'model/conv2.kernel',
    'model/conv3.kernel',
    'model/conv4.kernel',
    'model/conv5.kernel',
    'model/dense1.kernel',
    'model/dense2.kernel',
  ]);
});

test('a statistic orders them with NaN last both ways', () => {
  const tensors = [3, Number.NaN, 1, 2].map((l2, index) => ({ ...contents.tensors[0]!, name: index.toString(), l2 }));
  const order = (isDescending: boolean): number[] =>
    tensorRows({ ...contents, tensors }, { group: 'model', filter: '', order: 'l2', isDescending }).map(({ l2 }) => l2);
  expect(order(false)).toEqual([1, 2, 3, Number.NaN]);
  expect(order(true)).toEqual([3, 2, 1, Number.NaN]);
});

test('the summary counts parameters of the model alone and non-finite values of all', () => {
  const summary = summarize(contents);
  const model = contents.tensors.filter(({ group }) => group === 'model');
  expect(summary.parameters).toBe(model.reduce((sum, { values }) => sum + values, 0));
  expect(summary.nonFinite).toBe(6);
  expect(groupsOf(contents)).toEqual(['model', 'optimizer']);
});

test('a file without the group that was asked for shows its first', () => {
  const foreign = { ...contents, tensors: [{ ...contents.tensors[0]!, group: 'other' as const }] };
  expect(shownSection(foreign, 'model')).toBe('other');
  expect(shownSection(foreign, 'plan')).toBe('plan');
  expect(shownSection(contents, 'optimizer')).toBe('optimizer');
});

test('curves are found by the tensor’s name, in a file of ours and in another program’s', () => {
  const foreign = makeForeignCheckpoint();
  const found = (file: typeof contents, name: string) => shapesOf(file, { ...file.tensors[0]!, name })?.layer ?? null;
  expect(found(contents, 'model/kaf2.alpha')).toBe('kaf2');
  expect(found(contents, 'optimizer/kaf2.alpha')).toBeNull();
  expect(found(contents, 'model/conv1.kernel')).toBeNull();
  expect(found(foreign, 'backbone.stages.0.kaf2.alpha')).toBe('backbone.stages.0.kaf2');
  const spline = makeCheckpoint({ nonFinite: 0, activation: 'spline' });
  expect(found(spline, `model/${spline.activations[1]!.layer}.points`)).toBe(spline.activations[1]!.layer);
});

test('curves of averaged weights are found beside those as they were trained', () => {
  const [own] = contents.activations;
  const averaged = { ...own!, weights: 'average' } as const;
  const both = { ...contents, activations: [...contents.activations, averaged] };
  const found = (name: string) => shapesOf(both, { ...contents.tensors[0]!, name });
  expect(found(`model/${own!.layer}.alpha`)).toBe(own);
  expect(found(`average/${own!.layer}.alpha`)).toBe(averaged);
  expect(shapesOf(contents, { ...contents.tensors[0]!, name: `average/${own!.layer}.alpha` })).toBeNull();
});

test('where one tensor is called as another one of the model, the curves are the model’s', () => {
  const both = { ...contents, tensors: [...contents.tensors, { ...contents.tensors[0]!, name: 'kaf2.alpha' }] };
  expect(shapesOf(both, both.tensors.at(-1)!)).toBeNull();
  expect(
    shapesOf(
      both,
      both.tensors.find(({ name }) => name === 'model/kaf2.alpha')!,
    )?.layer,
  ).toBe('kaf2');
});

test('rows beside another file are in the order of what has become of them, those that it lacks last', () => {
  const whole = makeDifference(contents, 'b');
  const difference = { ...whole, tensors: whole.tensors.slice(0, 8) };
  const options = { group: 'model', filter: '', order: 'relative', isDescending: true } as const;
  const shares = tensorRows(contents, options, difference).map((row) => row.difference?.relative ?? null);
  const known = shares.filter((share) => share !== null);
  expect(known).toHaveLength(4);
  expect(shares.slice(0, 4)).toEqual(known.toSorted((a, b) => b - a));
});
