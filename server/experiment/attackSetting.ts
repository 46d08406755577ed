// The attacks and certificates that an experiment may list, as settings made from their declarations (protocol/evaluationTable.ts).
import { evaluationEntry, evaluationKeys, evaluationNames, type EvaluationName } from '../protocol/evaluationTable.ts';
import { declaredSettings } from './declaredSetting.ts';
import { variants, type Setting } from './setting.ts';

const attacks = Object.fromEntries(
  evaluationNames.map((attack) => {
    const { description, equation } = evaluationEntry(attack);
    return [attack, { description, equation, keys: declaredSettings(evaluationKeys(attack)) }] as const;
  }),
) as unknown as Attacks;

/** Read values go to `completeEvaluation`, which fills in what is undefined. */
type Attacks = {
  readonly [A in EvaluationName]: {
    readonly description: string;
    readonly equation: string;
    readonly keys: Readonly<Record<never, Setting>>;
  };
};

export const attackSetting = variants(
  'An attack on the final weights, or a certificate of them.',
  'attack',
  attacks,
  'pgd',
);
