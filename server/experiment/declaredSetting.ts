// Settings that are declared in tables of the protocol (attackTable.ts, methodTable.ts), as settings of an experiment file.
import { placeCharacters, type AttackKey, type AttackKeys, type NumberKey } from '../protocol/attackKey.ts';
import { list, number, text, word, type Setting } from './setting.ts';

export function declaredSettings(keys: AttackKeys): Readonly<Record<string, Setting>> {
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, declaredSetting(key)] as const));
}

function declaredSetting(key: AttackKey): Setting {
  switch (key.kind) {
    case 'number':
      return numberOf(key);
    case 'choice':
      return word(key.description, key.choices, key.byDefault);
    case 'list':
      return list(key.description, numberOf(key.item), { maxLength: key.maxLength, isUnique: true, computed: '[]' });
    case 'place':
      return text(key.description, 'folder', placeCharacters, { computed: 'none' });
    default:
      return key satisfies never;
  }
}

function numberOf(key: NumberKey): Setting {
  const { description, min, max, isMinExcluded = false, isMaxExcluded = false, byDefault } = key;
  const { isInteger = false, isPixelLength = false, unit = '' } = key;
  const computed = typeof byDefault === 'object' ? { computed: byDefault.computed } : byDefault;
  const range = { min, max, isMinExcluded, isMaxExcluded };
  return number(description, range, computed, { isInteger, isPixelLength, unit });
}
