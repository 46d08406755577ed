// Reads a syntax tree by the description of its settings: values with their defaults, where each stood, and every mistake.
// What one key means for another is checked in checkExperiment.ts.
import { isMap, isScalar, isSeq } from 'yaml';
import type { Pair, YAMLMap } from 'yaml';
import type { TextRange } from '../protocol/issue.ts';
import { closestName } from './closestName.ts';
import { expectation, presentWords, quote } from './expectation.ts';
import { isNothing, nodeText, resolveAlias, shorten } from './experimentText.ts';
import type { ExperimentText, FoundIssue } from './experimentText.ts';
import { parseNumber } from './parseNumber.ts';
import type {
  GroupSetting,
  Keys,
  ListSetting,
  MapSetting,
  NumberSetting,
  Setting,
  ValueOf,
  VariantSetting,
  Word,
  Words,
} from './setting.ts';

export interface SettingsReading<T> {
  /** Complete: where there was a mistake, the default. */
  readonly values: T;
  readonly issues: readonly FoundIssue[];
  /** The range of each value that stands in the text, by path. */
  readonly ranges: ReadonlyMap<string, TextRange>;
}

/** Reads all of an experiment's text. The only place where values get the types of their descriptions. */
export function readSettings<S extends Setting>(
  setting: S,
  text: ExperimentText,
  parents: ParentNames,
): SettingsReading<ValueOf<S>> {
  const reader = new Reader(text, parents);
  const values = reader.read(setting, text.document.contents, '', undefined);
  return { values: values as ValueOf<S>, issues: reader.issues, ranges: reader.ranges };
}

/** For a key, the paths of the groups that do have it: where an unknown key may belong. */
export type ParentNames = ReadonlyMap<string, readonly string[]>;

class Reader {
  readonly issues: FoundIssue[] = [];
  readonly ranges = new Map<string, TextRange>();
  readonly #text: ExperimentText;
  readonly #parents: ParentNames;

  constructor(text: ExperimentText, parents: ParentNames) {
    this.#text = text;
    this.#parents = parents;
  }

  /** `keyNode` is what to underline where there is no value. */
  read(setting: Setting, aliased: unknown, path: string, keyNode: unknown): unknown {
    const node = resolveAlias(this.#text.document, aliased);
    const place = isNothing(node) ? keyNode : aliased;
    if (keyNode !== undefined || !isNothing(node)) this.ranges.set(path, this.#text.rangeOf(place));
    if (isNothing(node)) {
      if (keyNode === undefined) return this.#default(setting);
      const remedy =
        setting.kind === 'group' || setting.kind === 'map' || setting.kind === 'paths'
          ? 'Indent its keys below it, or remove it.'
          : `Add a value (default: ${setting.defaultText}), or remove the key.`;
      return this.#wrong(setting, node, place, path, remedy);
    }
    switch (setting.kind) {
      case 'number':
        return this.#number(setting, node, place, path);
      case 'word':
        return this.#word(setting, setting.words, node, place, path);
      case 'flag':
        if (isScalar(node) && typeof node.value === 'boolean') return node.value;
        return this.#wrong(setting, node, place, path, 'Write true or false.');
      case 'text':
        if (isScalar(node) && typeof node.value === 'string' && isLine(node.value, setting.maxLength))
          return node.value;
        return this.#wrong(setting, node, place, path, 'Write one line of text, in quotes if it looks like a number.');
      case 'list':
        return this.#list(setting, node, place, path);
      case 'map':
        return this.#map(setting, node, place, path);
      case 'paths':
        return undefined;
      case 'group':
        return this.#group(setting, node, place, path);
      case 'variant':
        return this.#variant(setting, node, place, path);
    }
    setting satisfies never;
  }

  #number(setting: NumberSetting, node: unknown, place: unknown, path: string): unknown {
    const written = isScalar(node) ? node.value : undefined;
    if (typeof written === 'string' && Object.hasOwn(setting.words, written)) return written;
    const value =
      typeof written === 'number' ? written : typeof written === 'string' ? parseNumber(written) : undefined;
    if (value === undefined || !Number.isFinite(value)) {
      const remedy = setting.isPixelLength
        ? 'Write a number, for example 8/255.'
        : `Write a number, for example ${setting.defaultText}.`;
      return this.#wrong(
        setting,
        node,
        place,
        path,
        setting.isDefaultComputed && !setting.isPixelLength ? 'Write a number.' : remedy,
      );
    }
    const { min, max, isMinExcluded, isMaxExcluded } = setting.range;
    const isBelow = isMinExcluded ? value <= min : value < min;
    const isAbove = isMaxExcluded ? value >= max : value > max;
    if (!isBelow && !isAbove && (!setting.isInteger || Number.isInteger(value))) return value;
    if (setting.isPixelLength && value > 1 && value <= 255) {
      const replacement = `${value}/255`;
      const remedy = `Lengths are in pixel values of [0, 1], not of [0, 255]. Did you mean ${replacement}?`;
      return this.#wrong(setting, node, place, path, remedy, replacement);
    }
    return this.#wrong(
      setting,
      node,
      place,
      path,
      isBelow || isAbove ? 'Choose a value in this range.' : 'Write a whole number.',
    );
  }

  #word(setting: Setting, words: Words, node: unknown, place: unknown, path: string): unknown {
    const written = isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
    const found = written !== undefined && Object.hasOwn(words, written) ? words[written] : undefined;
    if (found && !found.isLater) return written;
    if (found) return this.#later(setting, found, node, place, path);
    const meant = written === undefined ? undefined : closestName(written, presentWords(words));
    return this.#wrong(setting, node, place, path, meant ? `Did you mean ${meant}?` : 'Write one of these.', meant);
  }

  #list(setting: ListSetting, node: unknown, place: unknown, path: string): unknown {
    if (!isSeq(node)) {
      return this.#wrong(setting, node, place, path, 'Write a list: [a, b], or one "- item" a line.');
    }
    const { length } = node.items;
    if (length < setting.minLength || length > setting.maxLength) {
      this.#report(path, place, expectation(setting), `a list of ${length}`, 'Change the number of items.');
      return this.#default(setting);
    }
    const items = node.items.map((item, index) => this.read(setting.item, item, `${path}[${index}]`, item ?? place));
    if (setting.isUnique) {
      items.forEach((item, index) => {
        if (items.indexOf(item) === index) return;
        this.#report(
          `${path}[${index}]`,
          node.items[index],
          expectation(setting),
          `${String(item)} again`,
          'Remove the repetition.',
        );
      });
    }
    return items;
  }

  #map(setting: MapSetting, node: unknown, place: unknown, path: string): unknown {
    if (!isMap(node)) return this.#wrong(setting, node, place, path, 'Write {name: value, …}.');
    const values: Record<string, unknown> = {};
    for (const pair of node.items) {
      const name = shorten(keyName(pair));
      const at = join(path, name);
      if (Object.hasOwn(values, name)) {
        this.#report(at, pair.key, 'each name once', `${quote(name)} again`, 'Remove one of the two.');
      } else if (!setting.isName(name)) {
        this.#report(at, pair.key, setting.names, quote(name), 'Choose another name.');
      } else {
        values[name] = this.read(setting.item, pair.value, at, pair.key);
      }
    }
    if (node.items.length <= setting.maxLength) return values;
    return this.#wrong(setting, node, place, path, 'Remove some.');
  }

  #group(setting: GroupSetting, node: unknown, place: unknown, path: string): unknown {
    const { keys, shorthand } = setting;
    if (isMap(node)) return this.#keys(keys, node, path);
    if (shorthand !== null && isScalar(node)) {
      return { ...this.#defaults(keys), [shorthand]: this.read(keys[shorthand]!, place, path, place) };
    }
    if (Object.keys(setting.words).length > 0) return this.#word(setting, setting.words, node, place, path);
    return this.#wrong(setting, node, place, path, 'Write the keys indented below, or {key: value, …}.');
  }

  #variant(setting: VariantSetting, node: unknown, place: unknown, path: string): unknown {
    if (setting.tag === null) {
      if (!isMap(node)) return this.#bareVariant(setting, node, place, path);
      const known = Object.keys(setting.variants);
      const name = node.items.map((pair) => keyName(pair)).find((key) => known.includes(key));
      const chosen = name === undefined ? undefined : setting.variants[name];
      if (chosen) return this.#keys(chosen.keys, node, path);
      const written = node.items.map((pair) => keyName(pair));
      const meant = written[0] === undefined ? undefined : closestName(written[0], known);
      const remedy = meant ? `Did you mean ${meant}?` : `Write for example ${setting.defaultText}.`;
      this.#report(
        path,
        node.items[0]?.key ?? place,
        expectation(setting),
        written.join(', ') || 'no keys',
        remedy,
        meant,
      );
      return this.#default(setting);
    }
    if (!isMap(node)) {
      const name = this.#word(setting, variantWords(setting), node, place, path);
      return typeof name === 'string' ? this.#defaultVariant(setting, name) : name;
    }
    const { tag } = setting;
    const pair = node.items.find((item) => keyName(item) === tag);
    if (
      !pair &&
      setting.defaultVariant === undefined &&
      impliedVariant(setting, node.items.map(keyName)) === undefined
    ) {
      this.#report(
        path,
        node,
        `${tag}, one of ${Object.keys(setting.variants).map(quote).join(', ')}`,
        'nothing',
        `Add ${tag}.`,
      );
      return this.#default(setting);
    }
    const value = pair ? resolveAlias(this.#text.document, pair.value) : undefined;
    const name = pair
      ? this.read(tagSetting(setting), value, join(path, tag), pair.key)
      : (impliedVariant(setting, node.items.map(keyName)) ?? setting.defaultVariant);
    const chosen = typeof name === 'string' ? setting.variants[name] : undefined;
    if (!chosen) return this.#default(setting);
    // Where the tag is wrong, the other keys may be those of what was meant: say nothing of them.
    const isTagWrong = pair !== undefined && (!isScalar(value) || value.value !== name);
    if (isTagWrong) return this.#default(setting);
    return { [tag]: name, ...this.#keys(chosen.keys, node, path, tag) };
  }

  /** The word alone of a variant that is told by its own key. */
  #bareVariant(setting: VariantSetting, node: unknown, place: unknown, path: string): unknown {
    const written = isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
    if (written !== undefined && Object.hasOwn(setting.variants, written))
      return this.#defaultVariant(setting, written);
    const meant = written === undefined ? undefined : closestName(written, Object.keys(setting.variants));
    const remedy = meant ? `Did you mean ${meant}?` : `Write for example ${setting.defaultText}.`;
    return this.#wrong(setting, node, place, path, remedy, meant);
  }

  #keys(keys: Keys, node: YAMLMap, path: string, tag?: string): Record<string, unknown> {
    const seen = new Map<string, Pair>();
    for (const pair of node.items) {
      const name = keyName(pair);
      if (seen.has(name)) {
        const shown = shorten(name);
        this.#report(join(path, shown), pair.key, 'each key once', `${quote(shown)} again`, 'Remove one of the two.');
        continue;
      }
      seen.set(name, pair);
      if (name !== tag && !Object.hasOwn(keys, name)) this.#unknownKey(keys, pair, name, path, tag);
    }
    const values: Record<string, unknown> = {};
    for (const [name, setting] of Object.entries(keys)) {
      const pair = seen.get(name);
      values[name] = this.read(setting, pair?.value, join(path, name), pair?.key);
    }
    return values;
  }

  #unknownKey(keys: Keys, pair: Pair, fullName: string, path: string, tag: string | undefined): void {
    const name = shorten(fullName);
    const names = tag === undefined ? Object.keys(keys) : [tag, ...Object.keys(keys)];
    const meant = closestName(name, names);
    const parents = (this.#parents.get(name) ?? []).filter((parent) => parent !== path);
    const remedy = meant
      ? `Did you mean ${meant}?`
      : parents.length > 0
        ? `${quote(name)} belongs under ${parents.map((parent) => parent || 'the top level').join(' or ')}: check the indentation.`
        : 'Remove it.';
    const expected = names.length > 0 ? `one of the keys ${names.join(', ')}` : 'no further keys';
    this.#report(join(path, name), pair.key, expected, `the unknown key ${quote(name)}`, remedy, meant);
  }

  #later(setting: Setting, word: Word, node: unknown, place: unknown, path: string): unknown {
    return this.#wrong(setting, node, place, path, notYet(isScalar(node) ? String(node.value) : '', word));
  }

  #wrong(setting: Setting, node: unknown, place: unknown, path: string, remedy: string, replacement?: string): unknown {
    this.#report(path, place, expectation(setting), nodeText(node), remedy, replacement);
    return this.#default(setting);
  }

  #report(path: string, place: unknown, expected: string, got: string, remedy: string, replacement?: string): void {
    const range = this.#text.rangeOf(place);
    const fix = replacement === undefined ? {} : { replacement };
    this.issues.push({ path, range, severity: 'error', expected, got, remedy, ...fix });
  }

  #default(setting: Setting): unknown {
    if (setting.isDefaultComputed) return undefined;
    switch (setting.kind) {
      case 'number':
      case 'word':
      case 'flag':
      case 'text':
        return setting.defaultValue;
      case 'list':
      case 'paths':
        return undefined;
      case 'map':
        return {};
      case 'group':
        return presentWords(setting.words)[0] ?? this.#defaults(setting.keys);
      case 'variant':
        return setting.defaultVariant === undefined ? undefined : this.#defaultVariant(setting, setting.defaultVariant);
    }
    setting satisfies never;
  }

  #defaultVariant(setting: VariantSetting, name: string): unknown {
    const tag = setting.tag === null ? {} : { [setting.tag]: name };
    return { ...tag, ...this.#defaults(setting.variants[name]?.keys ?? {}) };
  }

  #defaults(keys: Keys): Record<string, unknown> {
    return Object.fromEntries(Object.entries(keys).map(([name, setting]) => [name, this.#default(setting)]));
  }
}

/** The only variant that has the first of these keys, where no tag says which is meant: `{layers: […]}`, `{formula: "x"}`. */
export function impliedVariant(setting: VariantSetting, keys: readonly string[]): string | undefined {
  const [first] = keys;
  if (first === undefined) return undefined;
  const having = Object.keys(setting.variants).filter((name) => Object.hasOwn(setting.variants[name]!.keys, first));
  return having.length === 1 ? having[0] : undefined;
}

/** The tag of a variant as a setting of its own. */
export function tagSetting(setting: VariantSetting): Setting {
  const { description, defaultText, isDefaultComputed, defaultVariant } = setting;
  return {
    kind: 'word',
    description,
    defaultText,
    isDefaultComputed,
    words: variantWords(setting),
    defaultValue: defaultVariant,
  };
}

function variantWords(setting: VariantSetting): Words {
  const later = Object.entries(setting.later).map(([name, word]) => [name, { ...word, isLater: true }] as const);
  return { ...setting.variants, ...Object.fromEntries(later) };
}

export function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

/** A pair's key as text; keys that are no text (`? [a]`) become their description. */
export function keyName(pair: Pair): string {
  const { key } = pair;
  if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
  return nodeText(key);
}

function notYet(name: string, word: Word): string {
  return `${quote(name)} (${word.description.replace(/\.$/, '')}) is not in this version of Kafscope yet.`;
}

function isLine(value: string, maxLength: number): boolean {
  // Control characters would garble logs and file names.
  return value.trim().length > 0 && value.length <= maxLength && !/[\u0000-\u001f\u007f]/.test(value);
}
