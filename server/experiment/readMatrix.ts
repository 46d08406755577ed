// The matrix of an experiment → its combinations of values, as nodes of the text. What a value means, and whether it is right, is
// found when the experiment is read with it in its place.
import { isMap, isSeq } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';
import { closestName } from './closestName.ts';
import { quote } from './expectation.ts';
import { isNothing, nodeText, resolveAlias, shorten } from './experimentText.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import { maxCells } from './matrixSetting.ts';
import { keyName } from './readSettings.ts';
import type { Setting } from './setting.ts';
import { pathNames } from './settingAt.ts';
import { deadEnd } from './settingPaths.ts';

/** A value for a key, by its path. */
export interface SweptValue {
  readonly path: string;
  readonly node: unknown;
  /** Whether it follows from another: of values that go together, each behind the first. */
  readonly isFollowing: boolean;
}

export type Combination = readonly SweptValue[];

export interface Matrix {
  readonly combinations: readonly Combination[];
  readonly issues: readonly FoundIssue[];
  /** Paths that some value is for. */
  readonly paths: ReadonlySet<string>;
}

/** Null where the experiment has none. Of a matrix with a mistake no combination is told but that of its own. */
export function readMatrix(text: ExperimentText, root: Setting): Matrix | null {
  const { document } = text;
  const pair = isMap(document.contents)
    ? document.contents.items.find((item) => keyName(item as Pair) === 'matrix')
    : undefined;
  return pair ? new MatrixReader(text, root).read(pair as Pair) : null;
}

class MatrixReader {
  readonly #text: ExperimentText;
  readonly #document: Document;
  readonly #root: Setting;
  readonly #issues: FoundIssue[] = [];
  readonly #paths = new Set<string>();

  constructor(text: ExperimentText, root: Setting) {
    this.#text = text;
    this.#document = text.document;
    this.#root = root;
  }

  read({ key, value }: Pair): Matrix {
    const node = resolveAlias(this.#document, value);
    // As of any key without a value, that is told where the experiment is read.
    if (isNothing(node)) return { combinations: [], issues: [], paths: this.#paths };
    const combinations = isMap(node) && node.items.length > 0 ? this.#combinations(node, key) : null;
    if (!combinations && !(isMap(node) && node.items.length > 0)) {
      const got = isMap(node) ? 'none' : nodeText(node);
      const remedy = 'Write for example matrix: {model.activation: [relu, kaf], seed: [0, 1, 2]}, or remove it.';
      this.#report('matrix', value, 'lists of values by the path of a key', got, remedy);
    }
    if (this.#nSeeds() > 0 && this.#paths.has('seed')) {
      this.#report('matrix.seed', key, 'seed or seeds', 'both', 'Remove one of the two.');
    }
    return { combinations: this.#isWrong() ? [] : (combinations ?? []), issues: this.#issues, paths: this.#paths };
  }

  #isWrong(): boolean {
    return this.#issues.some(({ severity }) => severity === 'error');
  }

  /** Of the list `seeds`; 0 where there is none. */
  #nSeeds(): number {
    const contents = this.#document.contents;
    const seeds = isMap(contents) ? resolveAlias(this.#document, contents.get('seeds', true)) : null;
    return isSeq(seeds) ? seeds.items.length : 0;
  }

  #combinations(matrix: YAMLMap, key: unknown): Combination[] | null {
    const axes: Combination[][] = [];
    let included: Combination[] = [];
    let excluded: { place: unknown; row: Combination }[] = [];
    const seen = new Set<string>();
    for (const pair of matrix.items) {
      const name = keyName(pair);
      const at = `matrix.${shorten(name)}`;
      if (seen.has(name)) {
        this.#report(at, pair.key, 'each key once', `${quote(shorten(name))} again`, 'Remove one of the two.');
      } else if (name === 'zip') {
        const rows = this.#rows(pair, at).map(({ row }) => row);
        axes.push(rows.map((row) => row.map((value, place) => ({ ...value, isFollowing: place > 0 }))));
      } else if (name === 'include') {
        included = this.#rows(pair, at).map(({ row }) => row);
      } else if (name === 'exclude') {
        excluded = this.#rows(pair, at);
      } else if (this.#isPath(name, pair.key, at)) {
        axes.push(this.#items(pair, at).map((node) => [{ path: name, node, isFollowing: false }]));
      }
      seen.add(name);
    }
    const isOnlyRows = axes.length === 0;
    const count = isOnlyRows ? 0 : axes.reduce((product, { length }) => product * length, 1);
    const nCells = (count + included.length) * Math.max(1, this.#nSeeds());
    if (nCells > maxCells) {
      const got = String(nCells);
      this.#report(
        'matrix',
        key,
        `at most ${String(maxCells)} cells`,
        got,
        'Take away values, or make two experiments.',
      );
      return null;
    }
    const product = axes.reduce<Combination[]>(
      (before, axis) => before.flatMap((head) => axis.map((tail) => [...head, ...tail])),
      isOnlyRows ? [] : [[]],
    );
    if (this.#isWrong()) return null;
    const kept = this.#without(product, excluded);
    if (kept.length + included.length === 0) {
      this.#report('matrix', key, 'at least one cell', 'none', 'Add a value, or exclude fewer.');
    }
    return [...kept, ...included];
  }

  /** What an exclusion names and none has is told: it is mostly a value that is written in another way. */
  #without(product: Combination[], excluded: readonly { place: unknown; row: Combination }[]): Combination[] {
    const plain = new Map<unknown, string | null>();
    const told = ({ path, node }: SweptValue) => {
      if (!plain.has(node)) plain.set(node, this.#plain(node));
      const value = plain.get(node) ?? null;
      return value === null ? null : `${path} ${value}`;
    };
    const cells = excluded.length === 0 ? [] : product.map((cell) => ({ cell, values: new Set(cell.map(told)) }));
    const out = new Set<Combination>();
    for (const { place, row } of excluded) {
      const wanted = row.map(told);
      const found =
        wanted.length === 0 || wanted.includes(null)
          ? []
          : cells.filter(({ values }) => wanted.every((value) => values.has(value)));
      for (const { cell } of found) out.add(cell);
      if (found.length > 0) continue;
      const remedy = 'Write the values as the axes have them, or remove this.';
      this.#report('matrix.exclude', place, 'values that a cell has', 'none that does', remedy, 'warning');
    }
    return product.filter((cell) => !out.has(cell));
  }

  /** Null where an alias within has no anchor, lies in what it stands for, or multiplies without bound: no value at all. */
  #plain(node: unknown): string | null {
    const found = resolveAlias(this.#document, node) as { toJS?: (document: Document) => unknown } | undefined;
    if (!found?.toJS) return null;
    try {
      return JSON.stringify(found.toJS(this.#document));
    } catch {
      return null;
    }
  }

  #items(pair: Pair, at: string): unknown[] {
    const node = resolveAlias(this.#document, pair.value);
    if (isSeq(node) && node.items.length > 0 && node.items.length <= maxCells) return node.items;
    const expected = `a list of 1 to ${String(maxCells)} values`;
    const got = isSeq(node) ? `a list of ${String(node.items.length)}` : nodeText(node);
    this.#report(at, isNothing(node) ? pair.key : pair.value, expected, got, 'Write a list: [a, b].');
    return [];
  }

  #rows(pair: Pair, at: string): { place: unknown; row: Combination }[] {
    return this.#items(pair, at).map((item, index) => {
      const node = resolveAlias(this.#document, item);
      const here = `${at}[${String(index)}]`;
      if (!isMap(node) || node.items.length === 0) {
        const got = isMap(node) ? 'none' : nodeText(node);
        this.#report(
          here,
          item,
          'a mapping of values by the path of a key',
          got,
          'Write {model.activation: kaf, seed: 1}.',
        );
        return { place: item, row: [] };
      }
      const row = node.items
        .filter((value) => this.#isPath(keyName(value), value.key, `${here}.${shorten(keyName(value))}`))
        .map((value) => ({ path: keyName(value), node: value.value, isFollowing: false }));
      return { place: item, row };
    });
  }

  #isPath(name: string, key: unknown, at: string): boolean {
    const names = pathNames(name);
    const end = deadEnd(this.#root, names);
    if (!end) {
      this.#paths.add(name);
      return true;
    }
    const { length, known } = end;
    const wrong = names[length] ?? '';
    const meant = closestName(wrong, known);
    const before = names.slice(0, length).join('.');
    const replacement = meant ? [...names.slice(0, length), meant, ...names.slice(length + 1)].join('.') : undefined;
    const where = before ? `a key of ${before}` : 'the path of a key';
    const remedy =
      wrong === 'seeds' && length === 0
        ? 'Write seed: each cell has one.'
        : replacement
          ? `Did you mean ${replacement}?`
          : 'Write the path of a key, for example model.activation.';
    this.#report(at, key, where, quote(shorten(wrong)), remedy, 'error', replacement);
    return false;
  }

  #report(
    path: string,
    place: unknown,
    expected: string,
    got: string,
    remedy: string,
    severity: FoundIssue['severity'] = 'error',
    replacement?: string,
  ): void {
    const fix = replacement === undefined ? {} : { replacement };
    this.#issues.push({ path, range: this.#text.rangeOf(place), severity, expected, got, remedy, ...fix });
  }
}
