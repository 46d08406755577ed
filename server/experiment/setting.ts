// The language in which settings.ts describes an experiment's keys, and the type of value that each description stands for.
// Reading, completion, hovers, JSON Schema and docs all walk these descriptions.
import { parseNumber } from './parseNumber.ts';

export type Setting =
  | NumberSetting
  | WordSetting
  | FlagSetting
  | TextSetting
  | ListSetting
  | MapSetting
  | PathsSetting
  | GroupSetting
  | VariantSetting;

export type Keys = Readonly<Record<string, Setting>>;

interface Described {
  /** One line. */
  readonly description: string;
  /** As it would stand in a file, or how it is computed; shown to people. */
  readonly defaultText: string;
  /** Whether the default depends on other keys; then the value read is undefined where the key is absent. */
  readonly isDefaultComputed: boolean;
}

export interface Word {
  readonly description: string;
  readonly equation?: string;
  /** Named by the design, not in this version. */
  readonly isLater?: boolean;
}

export type Words = Readonly<Record<string, Word>>;

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly isMinExcluded?: boolean;
  readonly isMaxExcluded?: boolean;
}

export interface NumberSetting extends Described {
  readonly kind: 'number';
  readonly isInteger: boolean;
  readonly range: NumberRange;
  readonly unit: string;
  /** A length in pixel values of [0, 1], which people like to write as n/255. */
  readonly isPixelLength: boolean;
  readonly words: Words;
  readonly defaultValue: number | string | undefined;
}

export interface WordSetting extends Described {
  readonly kind: 'word';
  readonly words: Words;
  readonly defaultValue: string | undefined;
}

export interface FlagSetting extends Described {
  readonly kind: 'flag';
  readonly defaultValue: boolean;
}

export interface TextSetting extends Described {
  readonly kind: 'text';
  /** A formula is read as such only when the plan is checked. */
  readonly meaning: 'name' | 'folder' | 'formula';
  readonly maxLength: number;
  readonly defaultValue: string | undefined;
}

export interface ListSetting extends Described {
  readonly kind: 'list';
  readonly item: Setting;
  /** Of a list whose items may hold such lists themselves: whoever walks descriptions goes into it once. Null for others. */
  readonly name: string | null;
  readonly minLength: number;
  readonly maxLength: number;
  readonly isUnique: boolean;
}

/** A mapping whose keys are names that its writer chooses. */
export interface MapSetting extends Described {
  readonly kind: 'map';
  readonly item: Setting;
  /** What a name must be, after "expected". */
  readonly names: string;
  readonly isName: (name: string) => boolean;
  readonly maxLength: number;
}

/** A mapping from paths of other keys (`model.activation`) to a value or a list of values for each; read by readMatrix.ts. */
export interface PathsSetting extends Described {
  readonly kind: 'paths';
  readonly holds: 'values' | 'lists';
  /** Where the paths start. */
  readonly root: () => Setting;
  /** What may stand among the paths. */
  readonly keys: Keys;
}

/** A mapping with fixed keys; instead of it one of `words`, where there are any. */
export interface GroupSetting extends Described {
  readonly kind: 'group';
  readonly keys: Keys;
  readonly words: Words;
  /** The key that a bare value stands for; null for none. */
  readonly shorthand: string | null;
}

export interface Variant extends Word {
  readonly keys: Keys;
}

/**
 * A mapping whose keys depend on one of them. With a tag (`type: kaf`), the bare word stands for a mapping with only the tag;
 * with tag null the variant is told by its own key (`{ridge: elu}`), and the bare word (`ridge`) stands for its defaults.
 */
export interface VariantSetting extends Described {
  readonly kind: 'variant';
  readonly tag: string | null;
  readonly variants: Readonly<Record<string, Variant>>;
  readonly later: Words;
  readonly defaultVariant: string | undefined;
}

declare const valueType: unique symbol;
type Typed<S, T> = S & { readonly [valueType]: T };

/** The type of value that reading a setting gives. */
export type ValueOf<S> = S extends { readonly [valueType]: infer T } ? T : never;
type ValuesOf<K> = { readonly [P in keyof K]: ValueOf<K[P]> };
type TaggedValue<Tag extends string, V> = {
  [P in keyof V]: { readonly [T in Tag]: P } & (V[P] extends { readonly keys: infer K } ? ValuesOf<K> : never);
}[keyof V];
type KeyedValue<V> = {
  [P in keyof V]: V[P] extends { readonly keys: infer K }
    ? ValuesOf<K> & { readonly [O in Exclude<keyof V, P>]?: never }
    : never;
}[keyof V];

/** A default as it would stand in a file, or `{computed: 'how'}`. */
type Default<T> = T | { readonly computed: string };
type ValueWith<D, T> = D extends { readonly computed: string } ? T | undefined : T;

interface NumberOptions {
  readonly isInteger?: boolean;
  readonly unit?: string;
  readonly isPixelLength?: boolean;
}

export function number<const W extends Words, const D extends Default<number | string>>(
  description: string,
  range: NumberRange,
  byDefault: D & Default<number | string>,
  options: NumberOptions & { readonly words?: W } = {},
): Typed<NumberSetting, ValueWith<D, number | (string extends keyof W ? never : keyof W & string)>> {
  const words = options.words ?? {};
  const given: number | string | undefined = typeof byDefault === 'object' ? undefined : byDefault;
  const setting: NumberSetting = {
    kind: 'number',
    description,
    ...described(byDefault),
    isInteger: options.isInteger ?? false,
    range,
    unit: options.unit ?? '',
    isPixelLength: options.isPixelLength ?? false,
    words,
    defaultValue: typeof given === 'string' && !(given in words) ? parseNumber(given) : given,
  };
  return typed(setting);
}

export function word<const W extends Words, const D extends Default<string>>(
  description: string,
  words: W,
  byDefault: D,
): Typed<WordSetting, ValueWith<D, PresentWord<W>>> {
  const defaultValue = typeof byDefault === 'string' ? byDefault : undefined;
  return typed({ kind: 'word', description, ...described(byDefault), words, defaultValue });
}
type PresentWord<W extends Words> = { [P in keyof W]: W[P] extends { readonly isLater: true } ? never : P }[keyof W];

export function flag(description: string, byDefault: boolean): Typed<FlagSetting, boolean> {
  return typed({ kind: 'flag', description, ...described(byDefault), defaultValue: byDefault });
}

export function text<const D extends Default<string>>(
  description: string,
  meaning: TextSetting['meaning'],
  maxLength: number,
  byDefault: D,
): Typed<TextSetting, ValueWith<D, string>> {
  const defaultValue = typeof byDefault === 'string' ? byDefault : undefined;
  return typed({ kind: 'text', description, ...described(byDefault), meaning, maxLength, defaultValue });
}

/** A list whose default is always computed: undefined where the key is absent. */
export function list<S extends Setting>(
  description: string,
  item: S,
  limits: {
    readonly minLength?: number;
    readonly maxLength: number;
    readonly isUnique?: boolean;
    readonly computed: string;
  },
): Typed<ListSetting, readonly ValueOf<S>[] | undefined> {
  const { minLength = 0, maxLength, isUnique = false, computed } = limits;
  const limited = { item, minLength, maxLength, isUnique, name: null };
  return typed({ kind: 'list', description, ...described({ computed }), ...limited });
}

/** The same of items that may hold such lists themselves: their description is asked for when it is needed. */
export function recursiveList<T>(
  name: string,
  description: string,
  item: () => Setting,
  { minLength = 0, maxLength, computed }: { minLength?: number; maxLength: number; computed: string },
): Typed<ListSetting, readonly T[] | undefined> {
  const setting: ListSetting = {
    kind: 'list',
    description,
    ...described({ computed }),
    get item() {
      return item();
    },
    ...{ minLength, maxLength, isUnique: false, name },
  };
  return typed(setting);
}

/** A mapping from names to values; one that is absent is empty. */
export function map<S extends Setting>(
  description: string,
  item: S,
  limits: Pick<MapSetting, 'names' | 'isName' | 'maxLength'>,
): Typed<MapSetting, Readonly<Record<string, ValueOf<S>>>> {
  return typed({ kind: 'map', description, ...described('{}'), item, ...limits });
}

/** What is read of such a mapping is undefined: its values are read where their paths lead. */
export function paths(
  description: string,
  holds: PathsSetting['holds'],
  root: () => Setting,
  keys: Keys = {},
): Typed<PathsSetting, undefined> {
  return typed({ kind: 'paths', description, ...described({ computed: 'none' }), holds, root, keys });
}

/** A group that is absent reads as one with every key at its default, unless it has words: then as the first of these. */
export function group<const K extends Keys, const W extends Words = Record<never, never>>(
  description: string,
  keys: K,
  options: { readonly words?: W; readonly shorthand?: keyof K & string } = {},
): Typed<GroupSetting, ValuesOf<K> | PresentWord<W>> {
  const words = options.words ?? {};
  const shorthand = options.shorthand ?? null;
  const byDefault = described(Object.keys(words)[0] ?? '{}');
  return typed({ kind: 'group', description, ...byDefault, keys, words, shorthand });
}

/** A group whose absence is a value of its own: undefined. */
export function optionalGroup<const K extends Keys, const W extends Words = Record<never, never>>(
  description: string,
  keys: K,
  computed: string,
  words?: W,
): Typed<GroupSetting, ValuesOf<K> | PresentWord<W> | undefined> {
  return typed({
    kind: 'group',
    description,
    ...described({ computed }),
    keys,
    words: words ?? {},
    shorthand: null,
  });
}

export function variants<
  const T extends string,
  const V extends Readonly<Record<string, Variant>>,
  const D extends Default<string>,
>(
  description: string,
  tag: T,
  choices: V,
  byDefault: D,
  later: Words = {},
): Typed<VariantSetting, ValueWith<D, TaggedValue<T, V>>> {
  const defaultVariant = typeof byDefault === 'string' ? byDefault : undefined;
  return typed({
    kind: 'variant',
    description,
    ...described(byDefault),
    tag,
    variants: choices,
    later,
    defaultVariant,
  });
}

export function keyedVariants<const V extends Readonly<Record<string, Variant>>>(
  description: string,
  choices: V,
  computed: string,
): Typed<VariantSetting, KeyedValue<V> | undefined> {
  const fixed = { tag: null, variants: choices, later: {}, defaultVariant: undefined };
  return typed({ kind: 'variant', description, ...described({ computed }), ...fixed });
}

function described(byDefault: Default<unknown>): Pick<Described, 'defaultText' | 'isDefaultComputed'> {
  if (typeof byDefault === 'object' && byDefault !== null && 'computed' in byDefault) {
    return { defaultText: String(byDefault.computed), isDefaultComputed: true };
  }
  return { defaultText: String(byDefault), isDefaultComputed: false };
}

/** The one place where the type of a value is tied to its description. */
function typed<S extends Setting, T>(setting: S): Typed<S, T> {
  return setting as Typed<S, T>;
}
