// The table of a sweep as Markdown, LaTeX, HTML and CSV, each with what its figures are of.
import type { SweepResults } from './sweepResults.ts';
import type { Column, Measure, SweepTable, TableRow } from './sweepTable.ts';

export const tableFormats = ['md', 'latex', 'html', 'csv'] as const;
export type TableFormat = (typeof tableFormats)[number];

export function formatTable(format: TableFormat, table: SweepTable, about: SweepResults): string {
  switch (format) {
    case 'md':
      return markdown(table, about);
    case 'latex':
      return latex(table, about);
    case 'html':
      return html(table, about);
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

/** In per cent: `46.3 ± 0.4`, with the p of the paired test against the best. */
function figure({ mean, std, p }: Measure): string {
  const spread = std === null ? '' : ` ± ${(std * 100).toFixed(1)}`;
  const test = p === null ? '' : ` (p ${p < 0.001 ? '< 0.001' : p.toFixed(3)})`;
  return `${(mean * 100).toFixed(1)}${spread}${test}`;
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

function html(table: SweepTable, about: SweepResults): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  const body = table.rows.map((one) => {
    const cells = cellsOf(one, (text) => `\u0001${text}\u0002`).map(htmlText);
    return row(
      'td',
      cells.map((cell) => cell.replace('\u0001', '<strong>').replace('\u0002', '</strong>')),
    );
  });
  const plans = about.results.map(({ name, seed, identity, runId, device, version }) =>
    row('td', [name, String(seed), identity.slice(0, 12), runId, device ?? '–', version].map(htmlText)),
  );
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${htmlText(about.name)}</title>`,
    '<style>body{font:14px/1.5 sans-serif;margin:2em auto;max-width:70em}table{border-collapse:collapse;margin:1em 0}',
    'th,td{border-bottom:1px solid #bbb;padding:.3em .8em;text-align:left}td{font-variant-numeric:tabular-nums}</style></head><body>',
    `<h1>${htmlText(about.name)}</h1>`,
    `<table><thead>${row('th', heads(table).map(htmlText))}</thead><tbody>${body.join('')}</tbody></table>`,
    scatter(table),
    ...notes(about).map((note) => `<p>${htmlText(note)}</p>`),
    `<table><thead>${row('th', ['cell', 'seed', 'plan', 'run', 'runtime', 'version'])}</thead><tbody>${plans.join('')}</tbody></table>`,
    '</body></html>',
    '',
  ].join('\n');
}

function htmlText(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}

/** Clean against robust accuracy, those on the Pareto front filled; empty where nothing was attacked. */
function scatter({ rows, columns }: SweepTable): string {
  const points = rows.flatMap(({ labels, measures: [clean, robust], isPareto }) =>
    clean && robust ? [{ label: labels.join(' · '), x: clean.mean, y: robust.mean, isPareto }] : [],
  );
  if (points.length === 0) return '';
  const [width, height, edge] = [640, 400, 50];
  const scale = (values: readonly number[], from: number, to: number) => {
    const [low, high] = [Math.min(...values) - 0.01, Math.max(...values) + 0.01];
    return { low, high, at: (value: number) => from + ((value - low) / (high - low)) * (to - from) };
  };
  const x = scale(
    points.map((point) => point.x),
    edge,
    width - 150,
  );
  const y = scale(
    points.map((point) => point.y),
    height - edge,
    10,
  );
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  const text = (left: number, top: number, content: string, anchor = 'start') =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" font-size="12" text-anchor="${anchor}">${htmlText(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" role="img" aria-label="clean against robust accuracy">`,
    `<path d="M${String(edge)} 10V${String(height - edge)}H${String(width - 140)}" fill="none" stroke="#777"/>`,
    text(edge, height - edge + 16, percent(x.low)) + text(width - 150, height - edge + 16, percent(x.high), 'end'),
    text(edge - 4, height - edge, percent(y.low), 'end') + text(edge - 4, 18, percent(y.high), 'end'),
    text((width - 100) / 2, height - 8, 'clean accuracy', 'middle') + text(edge + 6, 20, columns[1]?.title ?? ''),
    ...points.map(
      (point) =>
        `<circle cx="${x.at(point.x).toFixed(1)}" cy="${y.at(point.y).toFixed(1)}" r="5" stroke="#1f6feb" fill="${point.isPareto ? '#1f6feb' : 'none'}"/>` +
        text(x.at(point.x) + 8, y.at(point.y) + 4, point.label),
    ),
    '</svg>',
  ].join('');
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
