// Where each key belongs: for the remedy of a key that stands at the wrong indentation.
import type { Setting } from './setting.ts';
import { experimentSettings } from './settings.ts';

/** For each key the paths of the mappings that have it; lists are left out of the paths. */
export function parentNames(): ReadonlyMap<string, readonly string[]> {
  const parents = new Map<string, string[]>();
  collect(experimentSettings, '', parents);
  return parents;
}

function collect(setting: Setting, path: string, parents: Map<string, string[]>): void {
  // Of layers that hold layers no key is at home elsewhere: they are left out.
  if (setting.kind === 'list' && setting.name !== null) return;
  if (setting.kind === 'list' || setting.kind === 'map') return collect(setting.item, path, parents);
  // What a matrix holds is at home where its paths lead.
  if (setting.kind !== 'group' && setting.kind !== 'variant') return;
  const groups =
    setting.kind === 'group' ? [setting.keys] : Object.values(setting.variants).map((variant) => variant.keys);
  const add = (name: string) => {
    const paths = parents.get(name) ?? [];
    if (!paths.includes(path)) parents.set(name, [...paths, path]);
  };
  if (setting.kind === 'variant' && setting.tag !== null) add(setting.tag);
  for (const keys of groups) {
    for (const [name, inner] of Object.entries(keys)) {
      add(name);
      collect(inner, path ? `${path}.${name}` : name, parents);
    }
  }
}
