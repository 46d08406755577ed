// Activation functions as they stand in a plan, and what is made of them: a formula with its parameters.
import {
  activations,
  type ActivationDefinition,
  type ActivationKey,
  type ActivationName,
  type ActivationNumber,
  type ActivationValues,
  type MadeFormula,
} from './activations.ts';
import { formulaOf, type Formula, type FormulaText } from './formula.ts';

export interface Parameter {
  readonly name: string;
  readonly start: number;
  /** What training keeps it within. */
  readonly min: number;
  readonly max: number;
}

/** An activation function with all its numbers. */
export interface ActivationFunction {
  readonly formula: Formula;
  readonly parameters: readonly Parameter[];
  /** Standard deviation of normal noise on where they start; 0 for none. */
  readonly noise: number;
}

/** As it stands in a plan: its name and all its numbers. */
export type ActivationByName = {
  [T in ActivationName]: { readonly type: T } & Values<(typeof activations)[T]['keys']>;
}[ActivationName];

type Values<K> = { readonly [P in keyof K]: K[P] extends { readonly words: infer W } ? keyof W : number };

/** A function that the experiment spells out. */
export interface TypedActivation {
  readonly type: 'formula';
  readonly formula: string;
  /** Trained, a channel its own; `min` and `max` are null where nothing bounds them. */
  readonly parameters: readonly {
    readonly name: string;
    readonly start: number;
    readonly min: number | null;
    readonly max: number | null;
  }[];
}

export type FormulaActivation = ActivationByName | TypedActivation;

/** With the numbers that an experiment has where it says none. */
export function usualActivation(type: ActivationName): ActivationByName {
  const keys = Object.entries(activations[type].keys as Readonly<Record<string, ActivationKey>>);
  return { type, ...Object.fromEntries(keys.map(([key, { byDefault }]) => [key, byDefault])) } as ActivationByName;
}

export function isFormulaActivation<P extends { readonly type: string }>(
  plan: P,
): plan is Extract<P, FormulaActivation> {
  return plan.type === 'formula' || Object.hasOwn(activations, plan.type);
}

const named = new WeakSet<Formula>();

/** Whether it is that of an activation with a name, always of the same form: then tests have compiled it. */
export function isNamedFormula(formula: Formula): boolean {
  return named.has(formula);
}

/** @throws FormulaError where a typed formula has a mistake */
export function activationFunction(plan: FormulaActivation): ActivationFunction {
  if (plan.type === 'formula') {
    const parameters = plan.parameters.map(({ name, start, min, max }) => ({
      ...{ name, start, min: min ?? -Infinity, max: max ?? Infinity },
    }));
    return {
      formula: formulaOf({ formula: plan.formula, parameters: parameters.map(({ name }) => name) }),
      ...{ parameters, noise: 0 },
    };
  }
  const { type, ...values } = plan as { type: ActivationName } & ActivationValues;
  const definition: ActivationDefinition = activations[type];
  const { text, parameters, noise } = spellOut(definition, values);
  const made = formulaOf(text);
  if (typeof definition.formula === 'string') named.add(made);
  return { formula: made, parameters, noise };
}

function spellOut(
  { formula, keys, slope }: ActivationDefinition,
  values: ActivationValues,
): { readonly text: FormulaText; readonly parameters: Parameter[]; readonly noise: number } {
  if (typeof formula !== 'string') {
    const made = (formula as (from: ActivationValues) => MadeFormula)(values);
    const parameters = Object.entries(made.starts).map(([name, start]) => ({
      ...{ name, start, min: -Infinity, max: Infinity },
    }));
    const text = { formula: made.formula, parameters: Object.keys(made.starts) };
    return { text, parameters, noise: made.noise ?? 0 };
  }
  const entries = Object.entries(keys as Readonly<Record<string, ActivationNumber>>);
  const valueOf = (name: string) => values[name] as number;
  const parameters = entries
    .filter(([, { isTrained }]) => isTrained)
    .map(([name, { atLeast }]) => ({ name, start: valueOf(name), min: atLeast ?? -Infinity, max: Infinity }));
  const constants = entries.filter(([, { isTrained }]) => !isTrained).map(([name]) => [name, valueOf(name)] as const);
  const text = {
    formula,
    parameters: parameters.map(({ name }) => name),
    ...(constants.length > 0 ? { constants: Object.fromEntries(constants) } : {}),
    ...(slope === undefined ? {} : { slope }),
  };
  return { text, parameters, noise: 0 };
}
