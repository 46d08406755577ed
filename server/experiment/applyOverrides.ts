// Sets values by path (`training.epochs`) in an experiment's syntax tree, as if they stood in the file, but without a range.
import { isMap, isNode, isScalar, isSeq, parseDocument, Scalar, visit, YAMLMap, YAMLSeq } from 'yaml';
import type { Document, Node } from 'yaml';
import { emptyRange, isNothing, nodeText, resolveAlias } from './experimentText.ts';
import type { FoundIssue } from './experimentText.ts';
import { childOf, childSetting, pathNames } from './settingAt.ts';
import type { Setting } from './setting.ts';

/**
 * Changes the document. A string means what it would mean in the file (`"8/255"`, `"[0, 1]"`), but where the setting is a text, it is that
 * text, as it is; null removes the key.
 * Returns an issue for each override that has no place; what is wrong with a value is found when it is read.
 */
export function applyOverrides(
  document: Document,
  overrides: Readonly<Record<string, unknown>>,
  root: Setting,
): FoundIssue[] {
  const issues: FoundIssue[] = [];
  for (const [path, value] of Object.entries(overrides)) {
    const problem = applyOverride(document, pathNames(path), value, root);
    if (problem) issues.push({ path, range: emptyRange, severity: 'error', ...problem });
  }
  return issues;
}

/** Puts a value of the same text in another place of its document, where it keeps its range; what is wrong with it is found when it is read. */
export function placeNode(document: Document, path: string, node: Node, root: Setting): FoundIssue | null {
  const found = resolveAlias(document, node);
  const copy = isNode(found) ? (found.clone() as Node) : node.clone();
  // Its anchor may stand where the value goes.
  if (isScalar(copy) || isMap(copy) || isSeq(copy)) delete copy.anchor;
  if (node.range) copy.range = node.range;
  const problem = applyOverride(document, pathNames(path), copy, root);
  return problem && { path, range: emptyRange, severity: 'error', ...problem };
}

type Problem = Pick<FoundIssue, 'expected' | 'got' | 'remedy'>;

function applyOverride(document: Document, names: readonly string[], value: unknown, root: Setting): Problem | null {
  if (isNothing(document.contents)) document.contents = new YAMLMap() as never;
  let parent: unknown = document.contents;
  let setting: Setting | undefined = root;
  for (const name of names.slice(0, -1)) {
    const child = childOf(document, parent, name);
    const next: Setting | undefined = setting && childSetting(setting, document, parent, name);
    const inner = asContainer(document, child?.value, next);
    if (!inner || !setChild(parent, name, inner)) return noPlace(names, child?.value ?? parent);
    parent = inner;
    setting = next;
  }
  const last = names.at(-1) ?? '';
  if (value === null) {
    if (isMap(parent)) parent.items = parent.items.filter((pair) => !(isScalar(pair.key) && pair.key.value === last));
    return null;
  }
  const target = setting && childSetting(setting, document, parent, last);
  const node = isNode(value) ? value : overrideNode(document, value, target);
  if (!node)
    return { expected: 'YAML', got: JSON.stringify(value), remedy: 'Write the value as it would stand in the file.' };
  if (node === 'comment') {
    const remedy = 'What follows a blank and # would be a comment and lost. Leave it out, or put the text in quotes.';
    return { expected: 'a value without a comment', got: JSON.stringify(value), remedy };
  }
  return setChild(parent, last, node) ? null : noPlace(names, parent);
}

/** The mapping or list to go on in: what is there, an empty mapping, or for `optimizer: adam` its mapping `{type: adam}`. */
function asContainer(document: Document, aliased: unknown, setting: Setting | undefined): unknown {
  if (isNothing(aliased)) return setting?.kind === 'list' ? new YAMLSeq() : new YAMLMap();
  const found = resolveAlias(document, aliased);
  // What an alias stands for is copied, so that the override changes this place alone.
  const node = found === aliased ? found : (found as YAMLMap | undefined)?.clone();
  if (isMap(node) || isSeq(node)) return node;
  if (setting?.kind !== 'variant' || setting.tag === null || !isScalar(node)) return undefined;
  const map = new YAMLMap();
  map.add({ key: new Scalar(setting.tag), value: node } as never);
  return map;
}

function setChild(parent: unknown, name: string, node: unknown): boolean {
  if (isMap(parent)) {
    const key = new Scalar(name);
    // A key that is not in the text is underlined at its value.
    if (isNode(node) && node.range) key.range = node.range;
    parent.set(key, node);
    return true;
  }
  if (!isSeq(parent) || !/^\d+$/.test(name) || Number(name) > parent.items.length) return false;
  parent.items[Number(name)] = node;
  return true;
}

/**
 * Undefined where a string is no YAML. Text that is wanted as text is taken as it is, unless it is quoted as a whole. The node is
 * made anew, without ranges: they would not be those of the file.
 */
function overrideNode(document: Document, value: unknown, setting: Setting | undefined): unknown {
  if (typeof value !== 'string') return document.createNode(value);
  if (setting?.kind === 'text' && !/^(["']).*\1$/s.test(value)) return document.createNode(value);
  try {
    const parsed = parseDocument(value, { prettyErrors: false });
    if (parsed.errors.length > 0) return setting?.kind === 'text' ? document.createNode(value) : undefined;
    if (hasComment(parsed)) return 'comment';
    return document.createNode(parsed.toJS() ?? value);
  } catch (cause) {
    // Too deep a nesting, or aliases without an end.
    if (cause instanceof RangeError || cause instanceof ReferenceError) return undefined;
    throw cause;
  }
}

function hasComment(document: Document): boolean {
  let found = hasText(document);
  visit(document, {
    Node: (_, node) => {
      found ||= hasText(node);
    },
  });
  return found;
}

function hasText({ comment, commentBefore }: { comment?: string | null; commentBefore?: string | null }): boolean {
  return typeof comment === 'string' || typeof commentBefore === 'string';
}

function noPlace(names: readonly string[], found: unknown): Problem {
  return {
    expected: 'a path of keys',
    got: nodeText(found),
    remedy: `There is no ${names.join('.')} in this experiment.`,
  };
}
