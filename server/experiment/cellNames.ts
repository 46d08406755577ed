// What the cells of a sweep are called: by their values, as they are written.
import { isMap, isScalar, isSeq } from 'yaml';
import type { Document } from 'yaml';
import { shorten } from './experimentText.ts';
import { resolveAlias } from './experimentText.ts';
import { keyName } from './readSettings.ts';
import type { Combination, SweptValue } from './readMatrix.ts';
import { pathNames } from './settingAt.ts';

/** `kaf dictionary 10 · epochs 5` for each, all different; empty for one without a value. */
export function cellNames(combinations: readonly Combination[], document: Document): string[] {
  const paths = new Set(combinations.flatMap((cell) => cell.map(({ path }) => path)));
  const shared = sharedEnds(paths);
  const known = new Map<SweptValue, string>();
  const nameOf = (value: SweptValue) => {
    const name = known.get(value) ?? named(document, value, shared);
    known.set(value, name);
    return name;
  };
  const full = (cell: Combination) => cell.map(nameOf).join(' · ');
  // What goes with another value need not be told where the others tell the cells apart.
  const short = (cell: Combination) => full(cell.filter(({ isFollowing }) => !isFollowing));
  const shorts = combinations.map(short);
  const taken = countsOf(shorts);
  const names = combinations.map((cell, index) => (taken.get(shorts[index]!) === 1 ? shorts[index]! : full(cell)));
  const seen = new Map<string, number>();
  return names.map((name) => {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return nth === 1 ? name : `${name} (${String(nth)})`;
  });
}

/** The last names that several paths end with. */
function sharedEnds(paths: ReadonlySet<string>): ReadonlySet<string> {
  const counts = countsOf([...paths].map(lastName));
  return new Set([...counts].flatMap(([name, count]) => (count > 1 ? [name] : [])));
}

function lastName(path: string): string {
  return pathNames(path).at(-1) ?? path;
}

/** A word alone tells what it is of; a number needs the name of its key. */
function named(document: Document, { path, node }: SweptValue, shared: ReadonlySet<string>): string {
  const text = valueText(document, node);
  const isWord = /^[A-Za-z]/.test(text) && !/^(true|false)$/.test(text);
  if (isWord) return text;
  const last = lastName(path);
  return `${shared.has(last) ? path : last} ${text}`;
}

/** `{type: kaf, init: {ridge: elu}}` as `kaf init ridge elu`. */
export function valueText(document: Document, node: unknown): string {
  const found = resolveAlias(document, node);
  if (isScalar(found)) return shorten(found.source ?? String(found.value), 40);
  if (isSeq(found)) return shorten(`[${found.items.map((item) => valueText(document, item)).join(', ')}]`, 60);
  if (!isMap(found)) return 'nothing';
  const parts = found.items.map((pair) => {
    const name = keyName(pair);
    const value = valueText(document, pair.value);
    return tags.has(name) ? value : `${name} ${value}`;
  });
  return shorten(parts.join(' '), 60);
}

/** Keys whose value says what a mapping is. */
const tags = new Set(['type', 'name', 'attack']);

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
