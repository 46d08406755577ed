// The description of the keys itself: what every key must have, so that hovers, docs and defaults can rely on it.
import { describe, expect, it } from 'vitest';
import { closestName } from '../../server/experiment/closestName.ts';
import { parseNumber } from '../../server/experiment/parseNumber.ts';
import type { Setting } from '../../server/experiment/setting.ts';
import { experimentSettings } from '../../server/experiment/settings.ts';

/** Lists that may hold themselves are gone into once. */
function everySetting(path: string, setting: Setting, seen = new Set<string>()): [string, Setting][] {
  if (setting.kind === 'list' && setting.name !== null) {
    if (seen.has(setting.name)) return [[path, setting]];
    seen.add(setting.name);
  }
  const inner =
    setting.kind === 'group' || setting.kind === 'paths'
      ? Object.entries(setting.keys)
      : setting.kind === 'variant'
        ? Object.entries(setting.variants).flatMap(([variant, { keys }]) =>
            Object.entries(keys).map(([name, value]) => [`${variant}.${name}`, value] as const),
          )
        : setting.kind === 'list'
          ? [['[]', setting.item] as const]
          : [];
  return [[path, setting], ...inner.flatMap(([name, value]) => everySetting(`${path}.${name}`, value, seen))];
}

const all = everySetting('', experimentSettings);

describe.each(all)('%s', (_, setting) => {
  it('has a description of one line that ends in a full stop', () => {
    expect(setting.description).toMatch(/^[^\n]{2,200}\.$/);
  });

  it('has a default, within its own bounds', () => {
    if (setting.isDefaultComputed) {
      expect(setting.defaultText).not.toBe('');
    } else if (setting.kind === 'number' && typeof setting.defaultValue !== 'string') {
      const { min, max, isMinExcluded, isMaxExcluded } = setting.range;
      const value = setting.defaultValue ?? Number.NaN;
      expect(parseNumber(setting.defaultText)).toBe(value);
      expect(isMinExcluded ? value > min : value >= min).toBe(true);
      expect(isMaxExcluded ? value < max : value <= max).toBe(true);
      expect(setting.isInteger && !Number.isInteger(value)).toBe(false);
    } else if (setting.kind === 'number' || setting.kind === 'word') {
      expect(setting.words[String(setting.defaultValue)]).toBeDefined();
      expect(setting.words[String(setting.defaultValue)]?.isLater).toBeUndefined();
    } else if (setting.kind === 'variant') {
      expect(Object.keys(setting.variants)).toContain(setting.defaultVariant);
    } else {
      expect(setting.defaultText).not.toBe('');
    }
  });
});

it('there are as many keys as this, so that the walk above is not empty', () => {
  expect(all.length).toBeGreaterThan(60);
});

describe('parseNumber', () => {
  it.each([
    ['8/255', 8 / 255],
    ['-1.5e3', -1500],
    ['.5', 0.5],
    ['5.', 5],
    ['1/3/4', undefined],
    ['1/0', undefined],
    ['1e999', undefined],
    ['0x10', undefined],
    ['', undefined],
    ['eight', undefined],
  ])('%s is %s', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });
});

describe('closestName', () => {
  it.each([
    ['a letter left out', 'optimzer', 'optimizer'],
    ['two letters swapped', 'tpye', 'type'],
    ['another case', 'batchsize', 'batchSize'],
    ['nothing that is near', 'qwertyuiop', undefined],
    ['a short word only at one letter', 'zzz', undefined],
  ])('forgives %s', (_, name, expected) => {
    expect(closestName(name, ['optimizer', 'type', 'batchSize', 'sgd'])).toBe(expected);
  });

  it('takes the nearest of several', () => {
    expect(closestName('relo', ['elu', 'relu'])).toBe('relu');
  });
});
