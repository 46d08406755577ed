// The mistakes of a sweep's cells as those of its text: each once, underlined at the value that makes a cell wrong, with the cell's name.
import { isNode } from 'yaml';
import type { TextRange } from '../protocol/issue.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import type { Combination, SweptValue } from './readMatrix.ts';

export interface ReadCell {
  readonly name: string;
  readonly values: Combination;
  readonly issues: readonly FoundIssue[];
}

/** What is wrong in every cell is a mistake of the text, and told without a name. */
export function cellIssues(cells: readonly ReadCell[], text: ExperimentText): FoundIssue[] {
  const found = new Map<string, { issue: FoundIssue; wrong: ReadCell[] }>();
  for (const cell of cells) {
    for (const issue of cell.issues) {
      const key = JSON.stringify(issue);
      const known = found.get(key);
      if (!known) found.set(key, { issue, wrong: [cell] });
      else if (known.wrong.at(-1) !== cell) known.wrong.push(cell);
    }
  }
  return [...found.values()].map(({ issue, wrong }) => {
    if (wrong.length === cells.length) return issue;
    const values = wrong[0]!.values;
    const isOfValue = values.some(({ node }) => isNode(node) && isWithin(issue.range, text.rangeOf(node)));
    const range = isOfValue
      ? issue.range
      : text.firstLineOf(text.rangeOf(tellingValue(wrong, cells, issue.path)?.node));
    return { ...issue, range, got: `${issue.got} ${inCells(wrong)}` };
  });
}

export function inCells(cells: readonly Pick<ReadCell, 'name'>[]): string {
  const others = cells.length - 1;
  return `in the cell ${cells[0]!.name}${others > 0 ? ` and ${String(others)} more` : ''}`;
}

/** The value that the fewest right cells share; of several such, the one nearest to what is wrong. */
function tellingValue(wrong: readonly ReadCell[], all: readonly ReadCell[], path: string): SweptValue | undefined {
  const isWrong = new Set(wrong);
  const right = all.filter((cell) => !isWrong.has(cell));
  const shared = ({ path: of, node }: SweptValue) =>
    right.filter(({ values }) => values.some((other) => other.path === of && other.node === node)).length;
  const near = (value: SweptValue) => (value.path.split('.')[0] === path.split(/[.[]/)[0] ? 0 : 1);
  return wrong[0]!.values.toSorted((a, b) => shared(a) - shared(b) || near(a) - near(b))[0];
}

function isWithin(inner: TextRange, outer: TextRange): boolean {
  const isBefore = (a: TextRange['start'], b: TextRange['start']) =>
    a.line < b.line || (a.line === b.line && a.character <= b.character);
  return isBefore(outer.start, inner.start) && isBefore(inner.end, outer.end);
}
