// The way from an experiment's root to the description of one key, following the variants chosen in the text.
import { isMap, isScalar, isSeq } from 'yaml';
import type { Document, Pair } from 'yaml';
import { resolveAlias } from './experimentText.ts';
import { impliedVariant, keyName, tagSetting } from './readSettings.ts';
import { notSwept } from './settingPaths.ts';
import type { Keys, PathsSetting, Setting, VariantSetting } from './setting.ts';

/** The keys that may stand in this place; the tag of a variant is not among them. */
export function keysOf(setting: Setting, document: Document, node: unknown): Keys {
  if (setting.kind === 'group') return setting.keys;
  if (setting.kind === 'paths') return keysOfPaths(setting, document);
  if (setting.kind !== 'variant') return {};
  const name = chosenVariant(setting, document, node);
  return (name === undefined ? undefined : setting.variants[name]?.keys) ?? {};
}

/** Which variant the text chooses, else the default one; undefined if it chooses none that exists. */
export function chosenVariant(setting: VariantSetting, document: Document, node: unknown): string | undefined {
  const found = resolveAlias(document, node);
  const { tag } = setting;
  const isKnown = (name: string) => Object.hasOwn(setting.variants, name);
  const keys = isMap(found) ? found.items.map(keyName) : [];
  if (tag === null) {
    if (isScalar(found) && typeof found.value === 'string') return isKnown(found.value) ? found.value : undefined;
    return keys.find(isKnown);
  }
  const written = isMap(found) ? found.items.find((pair) => keyName(pair) === tag)?.value : found;
  const value = resolveAlias(document, written);
  if (isScalar(value) && typeof value.value === 'string') return isKnown(value.value) ? value.value : undefined;
  return impliedVariant(setting, keys) ?? setting.defaultVariant;
}

/** A mapping's pair or a list's item one level down; undefined if there is none. */
export function childOf(
  document: Document,
  node: unknown,
  name: string,
): { pair: Pair | null; value: unknown } | undefined {
  const found = resolveAlias(document, node);
  if (isMap(found)) {
    const pair = found.items.find((item) => keyName(item) === name);
    return pair && { pair, value: pair.value };
  }
  if (isSeq(found) && /^\d+$/.test(name) && Number(name) < found.items.length) {
    return { pair: null, value: found.items[Number(name)] };
  }
  return undefined;
}

/** The description of one level down. */
export function childSetting(setting: Setting, document: Document, node: unknown, name: string): Setting | undefined {
  if (setting.kind === 'list') return /^\d+$/.test(name) ? setting.item : undefined;
  if (setting.kind === 'map') return setting.isName(name) ? setting.item : undefined;
  const keys = keysOf(setting, document, node);
  if (Object.hasOwn(keys, name)) return keys[name];
  if (setting.kind === 'variant' && setting.tag === name) return tagSetting(setting);
  return undefined;
}

/** `evaluation[0].steps` or `evaluation.0.steps` as names. */
export function pathNames(path: string): string[] {
  return path.replace(/\[(\d+)\]/g, '.$1').split('.');
}

/** What may stand in a matrix or one of its rows: its own keys, then every path that there is where the text stands. */
export function keysOfPaths(setting: PathsSetting, document: Document): Keys {
  const found: [string, Setting][] = [];
  const walk = (inner: Setting, node: unknown, path: string) => {
    if (path !== '') found.push([path, inner]);
    const keys = Object.entries(keysOf(inner, document, node)).filter(([name]) => path !== '' || !notSwept.has(name));
    for (const [name, next] of keys) {
      walk(next, childOf(document, node, name)?.value, path === '' ? name : `${path}.${name}`);
    }
    // Layers that hold layers are left out.
    if (inner.kind !== 'list' || inner.name !== null) return;
    const items = resolveAlias(document, node);
    if (!isSeq(items)) return;
    items.items.forEach((item, index) => {
      walk(inner.item, item, `${path}[${index}]`);
    });
  };
  walk(setting.root(), document.contents, '');
  return { ...setting.keys, ...Object.fromEntries(found.map(([path, inner]) => [path, valuesOf(setting, inner)])) };
}

/** What stands behind a path: a value, or a list of them. */
function valuesOf({ holds }: PathsSetting, inner: Setting): Setting {
  if (holds === 'values') return inner;
  const { description } = inner;
  const limits = { minLength: 1, maxLength: 1000, isUnique: true, name: null };
  return { kind: 'list', description, defaultText: 'none', isDefaultComputed: true, item: inner, ...limits };
}
