// A table as text for a paper, a page or a spreadsheet.

import { csvText } from '../text/csv.ts';

export type TableForm = 'markdown' | 'latex' | 'csv';

/**
 * @param cells row by row, each as long as `titles`
 * @param isBest whether a cell is the best of its column, which Markdown and LaTeX have bold
 */
export function tableText(
  titles: readonly string[],
  cells: readonly (readonly string[])[],
  form: TableForm,
  isBest: (row: number, column: number) => boolean = () => false,
): string {
  switch (form) {
    case 'markdown': {
      const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
      const rows = marked(cells, markdownText, (text) => `**${text}**`, isBest).map(line);
      return `${[line(titles.map(markdownText)), `|${titles.map(() => ' --- |').join('')}`, ...rows].join('\n')}\n`;
    }
    case 'latex': {
      const line = (texts: readonly string[]): string => `  ${texts.join(' & ')} \\\\`;
      const rows = marked(cells, latexText, (text) => `\\textbf{${text}}`, isBest).map(line);
      const body = [`  \\hline`, line(titles.map(latexText)), `  \\hline`, ...rows, `  \\hline`].join('\n');
      return `\\begin{tabular}{l${'r'.repeat(Math.max(0, titles.length - 1))}}\n${body}\n\\end{tabular}\n`;
    }
    case 'csv':
      return [titles, ...cells].map((texts) => `${texts.map(csvText).join(',')}\r\n`).join('');
    default:
      return form satisfies never;
  }
}

function marked(
  cells: readonly (readonly string[])[],
  textOf: (text: string) => string,
  mark: (text: string) => string,
  isBest: (row: number, column: number) => boolean,
): string[][] {
  return cells.map((texts, row) =>
    texts.map((text, column) => (isBest(row, column) ? mark(textOf(text)) : textOf(text))),
  );
}

function markdownText(text: string): string {
  return text.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ');
}

const latexWords: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '≤': '$\\le$',
  '∞': '$\\infty$',
  '−': '$-$',
  '–': '--',
  '·': '$\\cdot$',
  ε: '$\\varepsilon$',
};

function latexText(text: string): string {
  return text.replace(/[\\~^±≤∞−–·ε&%$#_{}]/g, (letter) => latexWords[letter] ?? `\\${letter}`);
}
