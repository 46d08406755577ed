// Writes a value into an experiment's text and leaves all else as it stands: comments, order and spacing.
import { isMap, isScalar, parseDocument, type Document } from 'yaml';
import { resolveAlias } from './experimentText.ts';

export interface ValuePlace {
  /** Keys from the outermost on, for example `['training', 'schedule', 'max']`. */
  readonly path: readonly string[];
  /** The key that a word in the place of the last mapping stands for: `schedule: triangular` for one with that `type`. */
  readonly tag: string;
  /** For people. */
  readonly what: string;
}

/**
 * What stands in the text is replaced in its place; a key that is missing is added.
 * @throws Error where the text is no YAML mapping
 */
export function withValue(text: string, { path, tag, what }: ValuePlace, value: string | number): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new Error(`${what} can be written into an experiment only once its text is right. Mend it first.`);
  }
  const node = document.getIn(path, true);
  if (isScalar(node) && node.range && resolveAlias(document, node) === node) {
    const [start, end] = node.range;
    return `${text.slice(0, start)}${written(value)}${text.slice(end)}`;
  }
  return withNewKey(document, path, tag, value);
}

/** As it may stand in brackets, too: paths with other signs than these are quoted. */
function written(value: string | number): string {
  return typeof value === 'string' && !/^[\w~./-]+$/.test(value) ? JSON.stringify(value) : String(value);
}

/** Where the key has no place yet, the document is written anew: comments stay, spacing may change. */
function withNewKey(document: Document, path: readonly string[], tag: string, value: string | number): string {
  const outer = path.slice(0, -1);
  const mapping = document.getIn(outer, true);
  if (isScalar(mapping)) document.setIn(outer, document.createNode({ [tag]: mapping.value }));
  document.setIn(path, value);
  return document.toString({ lineWidth: 0 });
}
