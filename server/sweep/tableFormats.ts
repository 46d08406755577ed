// The table of a sweep as Markdown, LaTeX, HTML and CSV, each with what its figures are of; and its picture alone.
import { sweepFigure, xmlText } from './sweepFigure.ts';
import type { SweepResults } from './sweepResults.ts';
import type { Column, Measure, SweepTable, TableRow } from './sweepTable.ts';

export const tableFormats = ['md', 'latex', 'html', 'svg', 'csv'] as const;
export type TableFormat = (typeof tableFormats)[number];

export function formatTable(format: TableFormat, table: SweepTable, about: SweepResults): string {
  switch (format) {
    case 'md':
      return markdown(table, about);
    case 'latex':
      return latex(table, about);
    case 'html':
      return html(table, about);
    case 'svg':
      return sweepFigure(table);
    case 'csv':
      return csv(about);
  }
  return format satisfies never;
}

function heads({ axes, columns }: SweepTable): string[] {
  return [
    ...axes.map((axis) => axis.split('.').at(-1) ?? axis),
    'seeds',
    ...columns.map(columnTitle),
    ...(columns.length > 1 ? ['Pareto'] : []),
  ];
}

function columnTitle({ title, isUpperBound }: Column): string {
  return isUpperBound ? `${title} ≤` : title;
}

/** In per cent: `46.3 ± 0.4`. */
function meanText({ mean, std }: Measure): string {
  return `${(mean * 100).toFixed(1)}${std === null ? '' : ` ± ${(std * 100).toFixed(1)}`}`;
}

/** Of the paired test against the best. */
function pText(p: number): string {
  return `p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`;
}

function figure(measure: Measure): string {
  return `${meanText(measure)}${measure.p === null ? '' : ` (${pText(measure.p)})`}`;
}

function cellsOf({ labels, seeds, measures, isPareto }: TableRow, mark: (text: string) => string): string[] {
  const figures = measures.map((one) => (one === null ? '–' : one.isBest ? mark(figure(one)) : figure(one)));
  return [...labels, String(seeds.length), ...figures, ...(figures.length > 1 ? [isPareto ? '◆' : ''] : [])];
}

/** What a reader must know to trust or repeat a figure. */
function notes({ name, results, nCells }: SweepResults): string[] {
  const distinct = (values: readonly string[]) => [...new Set(values)].join('; ');
  const missing = nCells - results.length;
  return [
    `Sweep ${name}: ${String(results.length)} of ${String(nCells)} cells${missing > 0 ? '; the others have not finished and are left out' : ''}.`,
    'Accuracies in per cent: mean ± standard deviation over seeds; the best of a column is marked, p is that of a paired t-test against it over the seeds that both have. ≤: an upper bound until an attack stronger than PGD has run on the same weights. ◆: no other setting is better in clean and in the first robust accuracy at once. “Thesis” counts as the thesis did, which flatters.',
    `Kafscope ${distinct(results.map(({ version }) => version))}; ${distinct(results.map(({ device }) => device ?? 'unknown device'))}.`,
  ];
}

function markdown(table: SweepTable, about: SweepResults): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  const head = heads(table);
  const plans = about.results.map(({ name, seed, identity, runId, device, version }) =>
    row([name, String(seed), `\`${identity.slice(0, 12)}\``, runId, device ?? '–', version]),
  );
  return [
    row(head),
    row(head.map(() => '---')),
    ...table.rows.map((one) => row(cellsOf(one, (text) => `**${text}**`))),
    '',
    ...notes(about).flatMap((note) => [note, '']),
    row(['cell', 'seed', 'plan', 'run', 'runtime', 'version']),
    row(['---', '---', '---', '---', '---', '---']),
    ...plans,
    '',
  ].join('\n');
}

function latex(table: SweepTable, about: SweepResults): string {
  const head = heads(table);
  const row = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  const escaped = (cells: readonly string[]) => cells.map(latexText);
  const plans = about.results.map(({ name, identity, runId }) => `% ${name}: plan ${identity}, run ${runId}`);
  return [
    ...plans,
    `\\begin{tabular}{${'l'.repeat(table.axes.length)}r${'r'.repeat(table.columns.length)}${table.columns.length > 1 ? 'c' : ''}}`,
    '\\hline',
    row(escaped(head)),
    '\\hline',
    ...table.rows.map((one) => row(cellsOf(one, (text) => `\u0001${text}\u0002`).map(latexText))),
    '\\hline',
    '\\end{tabular}',
    ...notes(about).map((note) => `% ${note}`),
    '',
  ].join('\n');
}

const latexSigns: Readonly<Record<string, string>> = {
  ...{ '&': '\\&', '%': '\\%', $: '\\$', '#': '\\#', _: '\\_', '{': '\\{', '}': '\\}' },
  ...{ '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '\\': '\\textbackslash{}' },
  ...{ '±': '$\\pm$', '≤': '$\\leq$', '<': '$<$', '◆': '$\\bullet$', '–': '--', '\u0001': '\\textbf{', '\u0002': '}' },
};

function latexText(text: string): string {
  return text.replace(/[&%$#_{}~^\\±≤<◆–\u0001\u0002]/g, (sign) => latexSigns[sign] ?? sign);
}

const style = `
:root { color-scheme: light dark }
body { font: 14px/1.5 sans-serif; margin: 2em auto; padding: 0 1.5em; max-width: 75em }
table { border-collapse: collapse; margin: 1.5em 0 }
th, td { border-bottom: 1px solid #8886; padding: 0.3em 0.8em; text-align: left; vertical-align: top }
.figure { text-align: right; font-variant-numeric: tabular-nums }
td.figure { white-space: nowrap }
.figure small { display: block; opacity: 0.7 }
.wide { overflow-x: auto }
svg { width: min(100%, 52em) }
`;

function html(table: SweepTable, about: SweepResults): string {
  const cell = (content: string, kind = '') => `<td${kind === '' ? '' : ` class="${kind}"`}>${content}</td>`;
  const head = (titles: readonly string[], areFigures: (index: number) => boolean = () => false) =>
    `<thead><tr>${titles.map((title, index) => `<th scope="col"${areFigures(index) ? ' class="figure"' : ''}>${xmlText(title)}</th>`).join('')}</tr></thead>`;
  const measured = (one: Measure | null) => {
    if (one === null) return cell('–', 'figure');
    const mean = xmlText(meanText(one));
    return cell(
      `${one.isBest ? `<strong>${mean}</strong>` : mean}${one.p === null ? '' : `<small>${xmlText(pText(one.p))}</small>`}`,
      'figure',
    );
  };
  const body = table.rows.map(({ labels, seeds, measures, isPareto }) =>
    [
      ...labels.map((label) => cell(xmlText(label))),
      cell(String(seeds.length), 'figure'),
      ...measures.map(measured),
      ...(measures.length > 1 ? [cell(isPareto ? '◆' : '')] : []),
    ].join(''),
  );
  const plans = about.results.map(({ name, seed, identity, runId, device, version }) =>
    [name, String(seed), identity.slice(0, 12), runId, device ?? '–', version]
      .map((one) => cell(xmlText(one)))
      .join(''),
  );
  const tableOf = (titles: string, rows: readonly string[]) =>
    `<div class="wide"><table>${titles}<tbody>${rows.map((row) => `<tr>${row}</tr>`).join('')}</tbody></table></div>`;
  const { length: nAxes } = table.axes;
  const isFigure = (index: number) => index >= nAxes && index <= nAxes + table.columns.length;
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${xmlText(about.name)}</title>`,
    `<style>${style}</style></head><body>`,
    `<h1>${xmlText(about.name)}</h1>`,
    tableOf(head(heads(table), isFigure), body),
    sweepFigure(table),
    ...notes(about).map((note) => `<p>${xmlText(note)}</p>`),
    tableOf(head(['cell', 'seed', 'plan', 'run', 'runtime', 'version']), plans),
    '</body></html>',
    '',
  ].join('\n');
}

/** One line a run and figure, for other programs: nothing is summed up. */
function csv({ results }: SweepResults): string {
  const paths = [...new Set(results.flatMap(({ values }) => Object.keys(values)))].filter((path) => path !== 'seed');
  const line = (cells: readonly (string | number | null | undefined)[]) =>
    cells.map((cell) => csvText(String(cell ?? ''))).join(',');
  const head = [...['cell', ...paths, 'seed', 'clean', 'attack', 'norm', 'epsilon', 'samples', 'robust', 'thesis']];
  head.push('plan', 'run', 'runtime', 'version');
  const rows = results.flatMap((result) => {
    const { name, values, seed, clean, figures, identity, runId, device, version } = result;
    const evaluated = figures.filter(({ isOfTest }) => !isOfTest);
    const before = [name, ...paths.map((path) => values[path]), seed, clean];
    const after = [identity, runId, device, version];
    if (evaluated.length === 0) return [line([...before, '', '', '', '', '', '', ...after])];
    return evaluated.map(({ plan, samples, standing, thesis }) => {
      const share = (count: number | undefined) => (count === undefined || samples === 0 ? null : count / samples);
      return line([
        ...before,
        attackText(plan),
        plan.norm,
        plan.epsilon,
        samples,
        share(standing),
        share(thesis),
        ...after,
      ]);
    });
  });
  return [line(head), ...rows, ''].join('\n');
}

function attackText(plan: CellPlan): string {
  return 'steps' in plan
    ? `${plan.attack}-${String(plan.steps)}${'restarts' in plan ? `-${String(plan.restarts)}` : ''}`
    : plan.attack;
}
type CellPlan = SweepResults['results'][number]['figures'][number]['plan'];

function csvText(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
