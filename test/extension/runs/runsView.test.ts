// Which runs the view shows, in which order, and what a person's marks change of it.
import { describe, expect, test } from 'vitest';
import { LocalMarks, withLocalMark } from '../../../extension/runs/localMarks.ts';
import { leftOutText, runsForest } from '../../../extension/runs/runsModel.ts';
import { compareRuns, everyRun, isFound, RunsView } from '../../../extension/runs/runsView.ts';
import type { RunMark } from '../../../server/protocol/runMark.ts';
import { keeper } from '../keeper.ts';
import { runSummary } from '../runSummaries.ts';

const marked = (id: string, mark: RunMark, change = {}) => runSummary({ id, mark, ...change });

describe('the filter', () => {
  const run = marked('x', { title: 'The best', tags: ['paper', 'kaf-2d'], note: 'use this' }, { seed: 3 });

  test.each([
    ['', true],
    ['best', true],
    ['BEST kaf-light', true],
    ['seed 3', true],
    ['#paper', true],
    ['#pap this', true],
    ['training fgsm-rs', true],
    ['paper swish', false],
    ['-paper', false],
    ['best -swish', true],
    [' - ', true],
  ])('%o finds it: %s', (filter, expected) => {
    expect(isFound(run, filter)).toBe(expected);
  });

  test('and hidden runs are said to be left out, with their number', () => {
    const runs = [marked('a', { isHidden: true }), runSummary({ id: 'b' }), marked('c', { isTrashed: true })];
    expect(leftOutText(runs, everyRun)).toBe('1 hidden');
    expect(leftOutText(runs, { ...everyRun, showsHidden: true })).toBe('');
    expect(leftOutText(runs, { ...everyRun, filter: 'swish' })).toBe('“swish”: 0 of 2 runs');
    expect(leftOutText(runs, { ...everyRun, filter: 'kaf' })).toBe('“kaf”: 2 of 2 runs · 1 hidden');
  });
});

describe('the order', () => {
  const runs = [
    runSummary({ id: 'a', name: 'b', seed: 10, createdMs: 1, cleanAccuracy: 0.5, robustAccuracy: null, loss: 2 }),
    runSummary({
      id: 'b',
      name: 'b',
      seed: 9,
      createdMs: 2,
      cleanAccuracy: Number.NaN,
      robustAccuracy: 0.1,
      loss: null,
    }),
    runSummary({
      id: 'c',
      name: 'a',
      seed: 1,
      createdMs: 3,
      cleanAccuracy: 0.9,
      robustAccuracy: 0.3,
      loss: Number.NaN,
    }),
  ];

  test.each([
    ['newest', 'cba'],
    ['name', 'cba'],
    ['clean', 'cab'],
    ['robust', 'cba'],
    ['loss', 'acb'],
  ] as const)('%s: %s', (order, expected) => {
    expect(
      runs
        .toSorted(compareRuns(order))
        .map(({ id }) => id)
        .join(''),
    ).toBe(expected);
  });

  test('has pinned runs first in every order, and their experiments', () => {
    const pinned = [
      ...runs,
      marked('d', { isPinned: true }, { name: 'z', createdMs: 0, cleanAccuracy: null, loss: 9 }),
    ];
    for (const order of ['newest', 'name', 'clean', 'robust', 'loss'] as const) {
      const [first] = runsForest(pinned, { ...everyRun, order });
      expect(first).toMatchObject({ label: 'z', runs: [{ run: { id: 'd' } }] });
    }
  });
});

describe('the tree', () => {
  test('leaves hidden runs out unless they are asked for, and keeps the trash at its end', () => {
    const runs = [
      marked('a', { isHidden: true }),
      runSummary({ id: 'b', createdMs: 5000 }),
      marked('c', { isTrashed: true }, { status: 'finished' }),
      runSummary({ id: 'd', name: 'd', status: 'damaged' }),
    ];
    const idsIn = (showsHidden: boolean) =>
      runsForest(runs, { ...everyRun, showsHidden }).map(({ label, runs: nodes }) => [
        label,
        ...nodes.map(({ run }) => run.id),
      ]);
    expect(idsIn(false)).toEqual([
      ['kaf-light', 'b'],
      ['Damaged', 'd'],
      ['Trash', 'c'],
    ]);
    expect(idsIn(true)).toEqual([
      ['kaf-light', 'b', 'a'],
      ['Damaged', 'd'],
      ['Trash', 'c'],
    ]);
  });

  test('calls a run as its owner does, and keeps its seed, its figures and its tags beside it', () => {
    const run = marked('a', { title: 'The best', tags: ['x', 'y z'], isPinned: true });
    expect(runsForest([run])[0]?.runs[0]).toMatchObject({
      ...{ label: 'The best', description: 'pinned · seed 0 · 3/20 · 64.1 / 38.9 · #x · #y z' },
    });
    const trashed = runsForest([marked('a', { isTrashed: true })]);
    expect(trashed[0]?.runs[0]).toMatchObject({ label: expect.stringContaining('kaf-light · seed 0') as string });
  });
});

describe('what is chosen in the view', () => {
  test('is kept, and told', () => {
    const kept = keeper();
    const view = new RunsView(kept);
    let told = 0;
    view.onDidChange(() => told++);
    view.choose({ filter: 'kaf' });
    view.choose({ order: 'robust', showsHidden: true, ticked: ['a'] });
    view.tick(new Map([['b', true]]));
    const choice = { filter: 'kaf', order: 'robust', showsHidden: true, ticked: ['a', 'b'] };
    expect([new RunsView(kept).choice, told]).toEqual([choice, 3]);
  });

  test.each([[undefined], [7], [{ filter: 7, order: 'toString', showsHidden: 'yes', ticked: 'all' }]])(
    'is everything where %o was kept',
    (value) => {
      expect(new RunsView(keeper({ 'kafscope.runsView': value })).choice).toEqual(everyRun);
    },
  );
});

describe('marks of runs in folders that are not ours', () => {
  test('lie over what the folder says, also where they take a mark away, until they are forgotten', async () => {
    const kept = keeper();
    const marks = new LocalMarks(kept);
    const run = marked('a', { title: 'theirs' });
    expect(withLocalMark(run, marks)).toBe(run);
    await marks.set(run.folder, { title: 'mine' });
    expect(withLocalMark(run, new LocalMarks(kept)).mark).toEqual({ title: 'mine' });
    await marks.set(run.folder, {});
    expect(withLocalMark(run, new LocalMarks(kept)).mark).toBeUndefined();
    await marks.forget(run.folder);
    expect(withLocalMark(run, new LocalMarks(kept)).mark).toEqual({ title: 'theirs' });
  });

  test('are passed over where they make no sense, and the oldest go where they are too many', async () => {
    const marks = new LocalMarks(keeper({ 'kafscope.marks': { '/a': 7, '/b': { title: 'b' } } }));
    expect([marks.of('/a'), marks.of('/b')]).toEqual([undefined, { title: 'b' }]);
    const many = keeper({
      'kafscope.marks': Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`/${String(index)}`, {}])),
    });
    await new LocalMarks(many).set('/new', {});
    const folders = Object.keys(many.kept['kafscope.marks'] as object);
    expect([folders.length, folders.includes('/0'), folders.at(-1)]).toEqual([2000, false, '/new']);
  });
});
