// Paths of keys as keys of a matrix: whether one leads anywhere, whatever the experiment chooses.
import { tagSetting } from './readSettings.ts';
import type { Setting } from './setting.ts';

/** Keys that say which runs there are, or what they are called: none has a value a cell. */
export const notSwept: ReadonlySet<string> = new Set(['name', 'seeds', 'matrix', 'parts']);

/** Null where the names lead to a key of some experiment; else how many of them do, and what might follow these. */
export function deadEnd(root: Setting, names: readonly string[]): { length: number; known: string[] } | null {
  let places: Setting[] = [root];
  for (const [index, name] of names.entries()) {
    const inner = places.map((place) => innerSettings(place));
    const next = inner.flatMap((keys) => keys.filter(([key]) => key === name || (key === '0' && /^\d+$/.test(name))));
    const isRefused = index === 0 && notSwept.has(name);
    if (next.length === 0 || isRefused) {
      const known = new Set(inner.flat().map(([key]) => key));
      return { length: index, known: [...known].filter((key) => index > 0 || !notSwept.has(key)) };
    }
    places = next.map(([, setting]) => setting);
  }
  return null;
}

/** One level down in every variant; an item of a list is called 0. */
function innerSettings(setting: Setting): [string, Setting][] {
  switch (setting.kind) {
    case 'group':
      return Object.entries(setting.keys);
    case 'variant': {
      const tag: [string, Setting][] = setting.tag === null ? [] : [[setting.tag, tagSetting(setting)]];
      return [...tag, ...Object.values(setting.variants).flatMap(({ keys }) => Object.entries(keys))];
    }
    case 'list':
      return [['0', setting.item]];
    case 'map':
    case 'paths':
    case 'number':
    case 'word':
    case 'flag':
    case 'text':
      return [];
  }
  setting satisfies never;
}
