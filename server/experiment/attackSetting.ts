// The attacks that an experiment may list, as settings made from their declarations (protocol/attackTable.ts).
import { attackEntry, attackKeys, attackNames, type AttackName } from '../protocol/attackTable.ts';
import { declaredSettings } from './declaredSetting.ts';
import { variants, type Setting } from './setting.ts';

const attacks = Object.fromEntries(
  attackNames.map((attack) => {
    const { description, equation } = attackEntry(attack);
    return [attack, { description, equation, keys: declaredSettings(attackKeys(attack)) }] as const;
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
