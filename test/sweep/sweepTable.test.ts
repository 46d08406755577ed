// The table of a sweep: by axis, over seeds, with what is best and what no other beats.
import { describe, expect, it } from 'vitest';
import { tableOf, type CellResult } from '../../server/sweep/sweepTable.ts';
import { sweepFigure } from '../../server/sweep/sweepFigure.ts';
import { formatTable, tableFormats } from '../../server/sweep/tableFormats.ts';
import { attackPlan } from '../attack/plans.ts';

const pgd = attackPlan('pgd', { steps: 20, restarts: 1 });
const strong = attackPlan('autoattack');

function result(
  activation: string,
  seed: number,
  clean: number,
  standing: number,
  more: Partial<CellResult> = {},
): CellResult {
  return {
    ...{ name: `${activation} · seed ${String(seed)}`, values: { 'model.activation': activation, seed: String(seed) } },
    ...{
      identity: `${activation}${String(seed)}`.padEnd(32, '0'),
      runId: `run-${activation}-${String(seed)}`,
      seed,
      clean,
    },
    figures: [{ plan: pgd, step: 8, samples: 100, standing, clean: 70, thesis: standing + 5 }],
    ...{ device: 'wasm · 1 thread', version: '0.2.0' },
    ...more,
  };
}

const results = [
  result('relu', 0, 0.7, 30),
  result('relu', 1, 0.72, 34),
  result('swish', 0, 0.75, 40),
  result('swish', 1, 0.79, 42),
  result('kaf', 0, 0.8, 20),
];

const near = (value: number): unknown => expect.closeTo(value, 12);

describe('a table of a sweep', () => {
  const table = tableOf(results);

  it('has a row a setting, with mean and deviation over its seeds', () => {
    expect(table.axes).toEqual(['model.activation']);
    expect(table.columns.map(({ title }) => title)).toEqual(['clean', 'PGD-20-1 8/255', 'PGD-20-1 8/255, thesis']);
    expect(table.rows.map(({ labels, seeds }) => [labels, seeds])).toEqual([
      [['relu'], [0, 1]],
      [['swish'], [0, 1]],
      [['kaf'], [0]],
    ]);
    const [clean, robust, thesis] = table.rows[0]!.measures;
    expect(clean).toMatchObject({ mean: near(0.71), std: near(Math.SQRT2 / 100), n: 2 });
    expect(robust).toMatchObject({ mean: near(0.32), isBest: false });
    expect(thesis).toMatchObject({ mean: near(0.37) });
    expect(table.rows[2]!.measures[0]).toMatchObject({ mean: 0.8, std: null, isBest: true, p: null });
  });

  it('tests against the best with the seeds that both have', () => {
    // t of the differences 0.1 and 0.08 is 9 with one degree of freedom: p = 1 − 2·atan(9)/π.
    expect(table.rows[0]!.measures[1]!.p).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(9), 12);
    expect(table.rows[1]!.measures[1]!).toMatchObject({ isBest: true, p: null });
    expect(table.rows[2]!.measures[1]!.p).toBe(null);
  });

  it('marks what no other beats in both accuracies', () => {
    expect(table.rows.map(({ isPareto }) => isPareto)).toEqual([false, true, true]);
    expect(tableOf([results[0]!]).rows[0]!.isPareto).toBe(true);
    expect(tableOf([{ ...results[0]!, figures: [] }]).rows[0]!.isPareto).toBe(false);
  });

  it('calls a figure an upper bound until something stronger than PGD has run on the same weights', () => {
    expect(table.columns[1]!.isUpperBound).toBe(true);
    const attacked = results.map((one) => ({
      ...one,
      figures: [...one.figures, { plan: strong, step: 8, samples: 100, standing: 10, clean: 70 }],
    }));
    expect(tableOf(attacked).columns.map(({ isUpperBound }) => isUpperBound)).toEqual([false, false, false, false]);
  });

  it('has an axis a value that varies, and leaves the figures of tests out', () => {
    const axes = results.map((one, index) => ({
      ...one,
      values: { ...one.values, 'training.method': index < 2 ? 'fgsm-rs' : 'standard', 'training.epochs': '8' },
      figures: one.figures.map((figure) => ({ ...figure, isOfTest: true as const })),
    }));
    const other = tableOf(axes);
    expect(other.axes).toEqual(['model.activation', 'training.method']);
    expect(other.columns.map(({ title }) => title)).toEqual(['clean']);
  });
});

describe('a report of a sweep', () => {
  const about = { name: 'a & b', results, nCells: 6 };
  const text = (format: (typeof tableFormats)[number]) => formatTable(format, tableOf(results), about);

  it.each(tableFormats.filter((format) => format !== 'svg'))('in %s has every figure, and what it is of', (format) => {
    const report = text(format);
    const mean = format === 'csv' ? '0.72' : '71.0';
    for (const part of [mean, 'run-kaf-0', '0.2.0', 'wasm · 1 thread']) {
      if (format === 'latex' && part.startsWith('wasm')) expect(report).toContain('% Kafscope 0.2.0; wasm · 1 thread.');
      else expect(report).toContain(part);
    }
    expect(report).toContain(format === 'md' || format === 'html' ? 'kaf000000000' : results[4]!.identity);
  });

  it('says in Markdown which is best, how sure that is, and what is missing', () => {
    const lines = text('md').split('\n');
    expect(lines[0]).toBe('| activation | seeds | clean | PGD-20-1 8/255 ≤ | PGD-20-1 8/255, thesis | Pareto |');
    expect(lines[2]).toBe('| relu | 2 | 71.0 ± 1.4 | 32.0 ± 2.8 (p 0.070) | 37.0 ± 2.8 (p 0.070) |  |');
    expect(lines[3]).toBe('| swish | 2 | 77.0 ± 2.8 | **41.0 ± 1.4** | **46.0 ± 1.4** | ◆ |');
    expect(lines).toContain('Sweep a & b: 5 of 6 cells; the others have not finished and are left out.');
  });

  it('escapes what its format would take for its own', () => {
    const odd = [result('a|b&c<d>_', 0, 0.5, 10)];
    const shown = (format: 'md' | 'latex' | 'html') => formatTable(format, tableOf(odd), { ...about, results: odd });
    expect(shown('md')).toContain('| a\\|b&c<d>_ |');
    expect(shown('latex')).toContain('a|b\\&c$<$d>\\_ & 1 & \\textbf{50.0}');
    expect(shown('html')).toContain('<td>a|b&#38;c&#60;d&#62;_</td>');
    expect(shown('html')).toContain('<strong>50.0</strong>');
    expect(formatTable('csv', tableOf(odd), { ...about, results: [result('a,"b"', 0, 0.5, 10)] })).toContain(
      '"a,""b"""',
    );
  });

  it('draws clean against robust accuracy as HTML, the front filled', () => {
    const circles = [...text('html').matchAll(/<circle [^>]*fill="([^"]*)"/g)].map(([, fill]) => fill);
    expect(circles).toEqual(['none', '#1f6feb', '#1f6feb']);
  });

  it('is as a picture what the page has, each label readable, and nothing where nothing was attacked', () => {
    expect(text('html')).toContain(text('svg'));
    const alike = ['a', 'b', 'c'].map((name) => result(name, 0, 0.7, 40));
    const svg = sweepFigure(tableOf(alike));
    const heights = [...svg.matchAll(/y="([\d.]+)" text-anchor="start">([abc])</g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(3);
    for (const [index, y] of heights.entries())
      for (const other of heights.slice(index + 1)) expect(Math.abs(y - other)).toBeGreaterThanOrEqual(15);
    expect(sweepFigure(tableOf(alike.map((one) => ({ ...one, figures: [] }))))).toBe('');
  });
});
