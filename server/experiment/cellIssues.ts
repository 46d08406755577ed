// The mistakes of a sweep's cells as those of its text: each once, underlined at the value that makes a cell wrong, with the cell's name.
import { isNode } from 'yaml';
import type { TextRange } from '../protocol/issue.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import type { Combination, SweptValue } from './readMatrix.ts';
import type { Turns } from './turns.ts';

interface NamedCell {
  readonly name: string;
  readonly values: Combination;
}

/** The issues of one cell after another; one that many have is kept once. */
export class CellIssues {
  readonly #text: ExperimentText;
  readonly #found = new Map<string, { issue: FoundIssue; wrong: NamedCell[] }>();
  /** How many cells have each value: those of one axis share them. */
  readonly #counts = new Map<SweptValue, number>();
  #nCells = 0;

  constructor(text: ExperimentText) {
    this.#text = text;
  }

  add(cell: NamedCell, issues: readonly FoundIssue[]): void {
    this.#nCells++;
    countValues(this.#counts, cell);
    for (const issue of issues) {
      const key = JSON.stringify(issue);
      const known = this.#found.get(key);
      if (!known) this.#found.set(key, { issue, wrong: [cell] });
      else if (known.wrong.at(-1) !== cell) known.wrong.push(cell);
    }
  }

  /** What is wrong in every cell is a mistake of the text, and told without a name. */
  *all(): Turns<FoundIssue[]> {
    const told: FoundIssue[] = [];
    for (const { issue, wrong } of this.#found.values()) {
      told.push(wrong.length === this.#nCells ? issue : this.#ofCells(issue, wrong));
      if (told.length % issuesATurn === 0) yield;
    }
    return told;
  }

  #ofCells(issue: FoundIssue, wrong: readonly NamedCell[]): FoundIssue {
    const text = this.#text;
    const isOfValue = wrong[0]!.values.some(({ node }) => isNode(node) && isWithin(issue.range, text.rangeOf(node)));
    const range = isOfValue ? issue.range : text.firstLineOf(text.rangeOf(this.#tellingValue(wrong, issue.path)?.node));
    return { ...issue, range, got: `${issue.got} ${inCells(wrong)}` };
  }

  /** The value that the fewest right cells share; of several such, the one nearest to what is wrong. */
  #tellingValue(wrong: readonly NamedCell[], path: string): SweptValue | undefined {
    const ofWrong = new Map<SweptValue, number>();
    for (const cell of wrong) countValues(ofWrong, cell);
    const inRight = (value: SweptValue) => (this.#counts.get(value) ?? 0) - (ofWrong.get(value) ?? 0);
    const near = (value: SweptValue) => (value.path.split('.')[0] === path.split(/[.[]/)[0] ? 0 : 1);
    return wrong[0]!.values.toSorted((a, b) => inRight(a) - inRight(b) || near(a) - near(b))[0];
  }
}

const issuesATurn = 10;

function countValues(counts: Map<SweptValue, number>, { values }: NamedCell): void {
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
}

export function inCells(cells: readonly Pick<NamedCell, 'name'>[]): string {
  const others = cells.length - 1;
  return `in the cell ${cells[0]!.name}${others > 0 ? ` and ${String(others)} more` : ''}`;
}

function isWithin(inner: TextRange, outer: TextRange): boolean {
  const isBefore = (a: TextRange['start'], b: TextRange['start']) =>
    a.line < b.line || (a.line === b.line && a.character <= b.character);
  return isBefore(outer.start, inner.start) && isBefore(inner.end, outer.end);
}
