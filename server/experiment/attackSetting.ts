// The attacks that an experiment may list, as settings made from their declarations (protocol/attackTable.ts).
import type { AttackKey, NumberKey } from '../protocol/attackKey.ts';
import { attackEntry, attackKeys, attackNames, type AttackName } from '../protocol/attackTable.ts';
import { list, number, variants, word, type Setting } from './setting.ts';

const attacks = Object.fromEntries(
  attackNames.map((attack) => {
    const { description, equation } = attackEntry(attack);
    const keys = Object.entries(attackKeys(attack)).map(([name, key]) => [name, settingOf(key)] as const);
    return [attack, { description, equation, keys: Object.fromEntries(keys) }] as const;
  }),
) as unknown as Attacks;

/** Read values go to `completeEvaluation`, which fills in what is undefined. */
type Attacks = {
  readonly [A in AttackName]: {
    readonly description: string;
    readonly equation: string;
    readonly keys: Readonly<Record<never, Setting>>;
  };
};

export const attackSetting = variants('An attack on the final weights.', 'attack', attacks, 'pgd');

function settingOf(key: AttackKey): Setting {
  switch (key.kind) {
    case 'number':
      return numberOf(key);
    case 'choice': {
      const later = Object.entries(key.later ?? {}).map(([name, one]) => [name, { ...one, isLater: true }] as const);
      return word(key.description, { ...key.choices, ...Object.fromEntries(later) }, key.byDefault);
    }
    case 'list':
      return list(key.description, numberOf(key.item), { maxLength: key.maxLength, isUnique: true, computed: '[]' });
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
