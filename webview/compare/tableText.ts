// A table as text for a paper, a page or a spreadsheet.

import { csvText } from '../text/csv.ts';

export type TableForm = 'markdown' | 'latex' | 'csv';

/** @param cells row by row, each as long as `titles` */
export function tableText(titles: readonly string[], cells: readonly (readonly string[])[], form: TableForm): string {
  switch (form) {
    case 'markdown': {
      const line = (texts: readonly string[]): string => `| ${texts.map(markdownText).join(' | ')} |`;
      return `${[line(titles), `|${titles.map(() => ' --- |').join('')}`, ...cells.map(line)].join('\n')}\n`;
    }
    case 'latex': {
      const line = (texts: readonly string[]): string => `  ${texts.map(latexText).join(' & ')} \\\\`;
      const body = [`  \\hline`, line(titles), `  \\hline`, ...cells.map(line), `  \\hline`].join('\n');
      return `\\begin{tabular}{l${'r'.repeat(Math.max(0, titles.length - 1))}}\n${body}\n\\end{tabular}\n`;
    }
    case 'csv':
      return [titles, ...cells].map((texts) => `${texts.map(csvText).join(',')}\r\n`).join('');
    default:
      return form satisfies never;
  }
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
