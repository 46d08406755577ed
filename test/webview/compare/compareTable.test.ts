import { describe, expect, test } from 'vitest';
import type { ComparedRun } from '../../../server/protocol/panel.ts';
import {
  areSameRuns,
  bestRows,
  cellText,
  cellValue,
  compareColumns,
  compareRows,
  differingSettings,
  figureOf,
  groupRuns,
  paretoFront,
  sortRows,
  usefulGroupings,
} from '../../../webview/compare/compareTable.ts';
import { tableText } from '../../../webview/compare/tableText.ts';
import { comparedRuns } from '../gallery/compareData.ts';
import { sweepCells } from '../gallery/sweepData.ts';

const runs = comparedRuns('busy');
const columns = compareColumns(runs);
const columnOf = (key: string) => columns.find((column) => column.key === key)!;

function plainRun(
  id: string,
  change: Partial<ComparedRun['run']>,
  settings: ComparedRun['settings'] = {},
): ComparedRun {
  return { run: { ...runs[0]!.run, id, figures: [], ...change }, settings };
}

describe('columns', () => {
  test('are the figures that some run has, an attack each, and the settings in which runs differ', () => {
    expect(columns.map(({ title }) => title)).toEqual([
      ...['step', 'loss', 'clean', 'AutoAttack standard', 'PGD-50-10'],
      ...[
        'model.activation.type',
        'seed',
        'training.schedule.max',
        'model.activation.size',
        'model.activation.boundary',
      ],
    ]);
    expect(compareColumns(runs.slice(0, 1)).map(({ key }) => key)).toEqual([
      'step',
      'loss',
      'clean',
      'attack/AutoAttack standard',
      'attack/PGD-50-10',
    ]);
  });

  test('of settings leave out what is no matter of the experiment, and count one that a run lacks as different', () => {
    const some = [
      plainRun('a', {}, { name: 'x', threads: 1, runtime: 'wasm', seed: 0, 'a.b': 1 }),
      plainRun('b', {}, { name: 'y', threads: 2, runtime: 'torch', seed: 0 }),
    ];
    expect(differingSettings(some)).toEqual(['a.b']);
    expect(differingSettings([...some, plainRun('c', {}, null)])).toEqual(['seed', 'a.b']);
  });
});

describe('rows', () => {
  test('of runs that share name and seed, as those of a sweep do, say in which settings they differ', () => {
    const one = (id: string, activation: string, seed: number) =>
      plainRun(id, { name: 'swept', seed }, { seed, 'model.activation.type': activation });
    const sweep = [one('a', 'relu', 0), one('b', 'swish', 0), one('c', 'swish', 1)];
    expect(groupRuns(sweep, 'run').map(({ title }) => title)).toEqual([
      'swept · seed 0 · type relu',
      'swept · seed 0 · type swish',
      'swept · seed 1',
    ]);
  });

  test('are runs, or those that differ in their seed alone, or those of one value of a setting', () => {
    expect(groupRuns(runs, 'run').map(({ key }) => key)).toEqual(runs.map(({ run }) => run.id));
    const bySeeds = groupRuns(runs, 'seeds');
    expect(bySeeds.map(({ title }) => title)).toEqual([
      ...['vgg-relu · type relu · max 0.1', 'vgg-swish · type swish · max 0.1'],
      'vgg-kaf · type kaf · max 0.05 · size 20 · boundary 3',
    ]);
    expect(bySeeds.map((row) => row.runs.length)).toEqual([3, 3, 3]);
    const bySize = groupRuns(runs, { setting: 'model.activation.size' });
    expect(bySize.map((row) => [row.title, row.runs.length])).toEqual([
      ['size –', 6],
      ['size 20', 3],
    ]);
  });

  test('are those of an experiment, or those with a tag, in as many as a run has tags', () => {
    const tagged = (id: string, name: string, tags: string[]) => plainRun(id, { name, mark: { tags } });
    const some = [tagged('a', 'x', ['old', 'wide']), tagged('b', 'y', ['old']), tagged('c', 'x', [])];
    const groups = (grouping: 'experiment' | 'tag') =>
      groupRuns(some, grouping).map(({ title, runs: members }) => [title, members.map(({ run }) => run.id).join('')]);
    expect(groups('experiment')).toEqual([
      ['x', 'ac'],
      ['y', 'b'],
    ]);
    expect(groups('tag')).toEqual([
      ['#old', 'ab'],
      ['#wide', 'a'],
      ['no tag', 'c'],
    ]);
    expect(usefulGroupings(some)).toEqual(['run', 'seeds', 'experiment', 'tag']);
    expect(usefulGroupings(some.slice(2))).toEqual(['run', 'seeds']);
  });

  test('of runs are called as their owner does', () => {
    const named = plainRun('a', { mark: { title: 'the best' } });
    expect(groupRuns([named], 'run')[0]!.title).toBe('the best');
  });

  test('have a figure’s mean with its deviation, and each value of a setting once', () => {
    const row = groupRuns(
      [
        plainRun('a', { cleanAccuracy: 0.5, loss: 1, seed: 1 }, { seed: 1, rate: 0.1 }),
        plainRun('b', { cleanAccuracy: 0.7, loss: 2, seed: 2 }, { seed: 2, rate: 0.1 }),
        plainRun('c', { cleanAccuracy: null, loss: Number.NaN, seed: 3 }, { seed: 3, rate: 0.1 }),
      ],
      { setting: 'rate' },
    )[0]!;
    const [step, loss, clean] = compareColumns(row.runs);
    expect(cellText(row, clean!)).toBe('60.0 ± 14.1');
    expect(cellText(row, loss!)).toBe('1.500 ± 0.71');
    expect(cellText(row, step!)).toBe('20,000');
    expect(cellText(row, { ...columnOf('seed') })).toBe('1, 2, 3');
    expect(cellText({ ...row, runs: row.runs.slice(2) }, clean!)).toBe('–');
    expect(cellText({ ...row, runs: row.runs.slice(0, 1) }, clean!)).toBe('50.0');
    expect(cellText({ ...row, runs: [plainRun('d', { loss: Infinity })] }, loss!)).toBe('+∞');
  });

  test('are sorted by value, numbers as such, and those without one come last either way', () => {
    const some = ['10', '9', '', 'b'].map((rate, index) => plainRun(index.toString(), {}, rate === '' ? {} : { rate }));
    const rows = groupRuns(some, 'run');
    const rate = compareColumns(some).find(({ key }) => key === 'rate')!;
    expect(cellValue(rows[0]!, rate)).toBe(10);
    const keys = (isDescending: boolean) => sortRows(rows, rate, { isDescending }).map(({ key }) => key);
    expect(keys(false)).toEqual(['1', '0', '3', '2']);
    expect(keys(true)).toEqual(['3', '0', '1', '2']);
    expect(sortRows(rows, undefined, { isDescending: true })).toEqual(rows);
  });

  test('are tested against another by the runs of the same seeds', () => {
    const row = (key: string, values: readonly (readonly [number, number])[]) => ({
      ...{ key, title: key },
      runs: values.map(([seed, cleanAccuracy]) => plainRun(`${key}${seed.toString()}`, { seed, cleanAccuracy })),
    });
    const first = row('a', [
      [3, 0.9],
      [1, 0.5],
      [2, 0.7],
    ]);
    const second = row('b', [
      [1, 0.4],
      [2, 0.65],
      [9, 0.1],
    ]);
    const { nPairs, difference, p } = compareRows(first, second, columnOf('clean'));
    expect(nPairs).toBe(2);
    expect(difference).toBeCloseTo(0.075, 12);
    // t = 0.075 / 0.025 = 3 with one degree of freedom: p = 1 − (2/π)·atan 3.
    expect(p).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(3), 10);
  });
});

test('runs stay the same while they train, and not when one is renamed, moved, replaced or given other settings', () => {
  const [first, ...others] = runs;
  const changed = (change: Partial<ComparedRun['run']>, more: Partial<ComparedRun> = {}) => [
    { ...first!, ...more, run: { ...first!.run, ...change } },
    ...others,
  ];
  expect(areSameRuns(runs, changed({ step: 7, loss: 0.1, status: 'training', figures: [] }))).toBe(true);
  for (const change of [
    { id: 'x' },
    { name: 'x' },
    { seed: 99 },
    { steps: 1 },
    { epochs: 1 },
    { mark: { tags: ['x'] } },
  ])
    expect(areSameRuns(runs, changed(change)), JSON.stringify(change)).toBe(false);
  expect(areSameRuns(runs, changed({}, { cell: 'x' }))).toBe(false);
  expect(areSameRuns(runs, changed({}, { settings: {} }))).toBe(false);
  expect(areSameRuns(runs, others)).toBe(false);
  expect(areSameRuns(runs, [...others, first!])).toBe(false);
});

describe('the best of a column', () => {
  const one = (id: string, clean: number | null, loss = 1) =>
    groupRuns([plainRun(id, { cleanAccuracy: clean, loss })], 'run')[0]!;
  const [, loss, clean] = compareColumns(runs);

  test('has the highest mean, of a cost the lowest; equals share it', () => {
    const rows = [one('a', 0.5, 2), one('b', 0.7, 3), one('c', null, 1), one('d', 0.7, 9)];
    expect([...bestRows(rows, clean!)]).toEqual([1, 3]);
    expect([...bestRows(rows, loss!)]).toEqual([2]);
  });

  test('is none of a single row, of steps or of settings', () => {
    expect(bestRows([one('a', 0.5), one('b', null)], clean!).size).toBe(0);
    const rows = groupRuns(runs, 'run');
    expect(bestRows(rows, columnOf('step')).size).toBe(0);
    expect(bestRows(rows, columnOf('seed')).size).toBe(0);
  });
});

describe('cells of a sweep', () => {
  const { runs: cells } = sweepCells('sweep-done');

  test('are called as in the matrix, their groups by the values without the seed', () => {
    expect(groupRuns(cells, 'run')[0]!.title).toBe('relu · seed 0');
    expect(groupRuns(cells, 'seeds').map(({ title, runs: { length } }) => [title, length])).toEqual([
      ['relu', 3],
      ['swish', 3],
      ['kaf dictionary 20', 3],
    ]);
    const rates = cells.slice(0, 2).map((cell, index) => ({ ...cell, settings: { seed: 0, 'a.rate': index } }));
    expect(groupRuns(rates, 'seeds').map(({ title }) => title)).toEqual(['rate 0', 'rate 1']);
    expect(groupRuns(cells.slice(0, 1), 'seeds')[0]!.title).toBe('light-activations');
  });
});

test('a figure of an attack is what stands of what was attacked', () => {
  const [one] = runs;
  const figure = one!.run.figures![0]!;
  expect(figureOf(one!, 'attack/AutoAttack standard')).toBe(figure.standing / figure.samples);
  expect(figureOf(one!, 'attack/none')).toBeNaN();
});

test('the Pareto front has what none beats in both', () => {
  const points = [
    ...[
      { x: 1, y: 5 },
      { x: 2, y: 4 },
      { x: 2, y: 3 },
      { x: 1, y: 4 },
    ],
    ...[
      { x: 4, y: 1 },
      { x: Number.NaN, y: 9 },
      { x: 2, y: 4 },
    ],
  ];
  expect(paretoFront(points)).toEqual([0, 1, 4, 6]);
});

describe('a table as text', () => {
  const titles = ['run', 'ε & more'];
  const cells = [
    ['a|b_c', '1 ± 2'],
    ['=x, "y"', ''],
  ];

  test('is Markdown, whose bars are no columns', () => {
    expect(tableText(titles, cells, 'markdown')).toBe(
      '| run | ε & more |\n| --- | --- |\n| a\\|b_c | 1 ± 2 |\n| =x, "y" |  |\n',
    );
  });

  test('is LaTeX that compiles', () => {
    expect(tableText(titles, cells, 'latex')).toBe(
      '\\begin{tabular}{lr}\n  \\hline\n  run & $\\varepsilon$ \\& more \\\\\n  \\hline\n  a|b\\_c & 1 $\\pm$ 2 \\\\\n  =x, "y" &  \\\\\n  \\hline\n\\end{tabular}\n',
    );
    expect(tableText(['\\~^'], [], 'latex')).toContain('\\textbackslash{}\\textasciitilde{}\\textasciicircum{}');
  });

  test('has the best in bold, but no more than plain text in CSV', () => {
    const best = (row: number, column: number) => row === 0 && column === 1;
    expect(tableText(titles, cells, 'markdown', best)).toContain('| a\\|b_c | **1 ± 2** |');
    expect(tableText(titles, cells, 'latex', best)).toContain('a|b\\_c & \\textbf{1 $\\pm$ 2} \\\\');
    expect(tableText(titles, cells, 'csv', best)).toBe(tableText(titles, cells, 'csv'));
  });

  test('is CSV that no spreadsheet takes for formulas', () => {
    expect(tableText(titles, cells, 'csv')).toBe('run,ε & more\r\na|b_c,1 ± 2\r\n"\'=x, ""y""",\r\n');
  });
});
