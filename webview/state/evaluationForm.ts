// The form that asks for an evaluation: what was typed, what is wrong with it, and the plan it makes. Its fields are the settings
// of the attack that was chosen.
import { placeCharacters, type AttackKey, type NumberKey } from '../../server/protocol/attackKey.ts';
import {
  evaluationEntry,
  evaluationKeys,
  evaluationKind,
  evaluationNames,
  type EvaluationName,
} from '../../server/protocol/evaluationTable.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import { evaluationContext, firstEvaluation } from '../../server/protocol/firstEvaluation.ts';
import type { EvaluationPlan, Plan } from '../../server/protocol/plan.ts';
import { formatCount, formatFraction, parseFraction } from '../text/numbers.ts';

/** The text of each field; `attack` is the attack's name. */
export type EvaluationDraft = Readonly<Record<string, string>>;

export interface EvaluationField {
  readonly field: string;
  readonly label: string;
  readonly hint: string;
  /** What there is to choose from; null where it is typed. */
  readonly choices: readonly { readonly value: string; readonly text: string; readonly hint: string }[] | null;
}

/** The attack itself first; settings that can have one value only, or mean nothing of this run, are left out. */
export function evaluationFields({ attack }: EvaluationDraft, { training }: Plan): EvaluationField[] {
  const names = evaluationNames.map((name) => {
    const { name: text, description: hint } = evaluationEntry(name);
    return { value: name, text, hint };
  });
  const fields = Object.entries(evaluationKeys(attackOf(attack))).map(([field, key]) => ({
    ...{ field, label: key.label ?? field, hint: key.description },
    choices:
      key.kind === 'choice'
        ? Object.entries(key.choices).map(([value, { description }]) => ({
            value,
            text: choiceText(value),
            hint: description,
          }))
        : null,
  }));
  return [
    { field: 'attack', label: 'attack', hint: evaluationEntry(attackOf(attack)).description, choices: names },
    ...fields.filter(({ field, choices }) => choices?.length !== 1 && (field !== 'weights' || training.weightAverage)),
  ];
}

/** On the button that starts it. */
export function startText({ attack }: EvaluationDraft): string {
  return { attack: 'Start attack', certificate: 'Certify', detector: 'Try detector' }[evaluationKind(attackOf(attack))];
}

/** The attack that the run is offered first. */
export function draftFor(plan: Plan): EvaluationDraft {
  const draft = draftOf(firstEvaluation(plan));
  const chosen = computedFields(draft).filter((name) => draft[name] !== defaultText(name, draft, plan));
  return { ...draft, [chosenKey]: chosen.join(' ') };
}

/** Another value of a field: those that follow from it and were not chosen themselves follow, as the step size follows ε. */
export function withField(draft: EvaluationDraft, field: string, text: string, plan: Plan): EvaluationDraft {
  const chosen = new Set((draft[chosenKey] ?? '').split(' '));
  let next: EvaluationDraft = { ...draft, [field]: text };
  for (const name of computedFields(draft)) {
    const usual = defaultText(name, next, plan);
    if (name !== field) {
      if (!chosen.has(name) && usual !== null) next = { ...next, [name]: usual };
    } else if (text === usual) chosen.delete(name);
    else chosen.add(name);
  }
  return { ...next, [chosenKey]: [...chosen].filter(Boolean).join(' ') };
}

/** Beside the fields, which of those with a default that follows from others have a value of their own. */
const chosenKey = 'chosen';

function computedFields({ attack }: EvaluationDraft): string[] {
  const keys = Object.entries(evaluationKeys(attackOf(attack)));
  return keys.flatMap(([name, key]) => {
    const isComputed = key.kind === 'number' && typeof key.byDefault === 'object';
    return isComputed && name !== 'samples' ? [name] : [];
  });
}

/** What a field would say by default beside what the others say; null while one of them is not to be read. */
function defaultText(name: string, draft: EvaluationDraft, plan: Plan): string | null {
  const keys = evaluationKeys(attackOf(draft['attack']));
  const others = Object.entries(keys).filter(([other]) => other !== name);
  const read = others.map(
    ([other, key]) => [other, readField(key, draft[other] ?? '', limitOf(other, draft, plan))] as const,
  );
  if (read.some(([, { problem }]) => problem !== null)) return null;
  const given = Object.fromEntries(read.map(([other, { value }]) => [other, value]));
  const completed: unknown = { ...completeEvaluation(attackOf(draft['attack']), given, evaluationContext(plan)) }[
    name as keyof EvaluationPlan
  ];
  return fieldText(keys[name]!, completed);
}

/** Another attack: what both have stays, the rest is at its default. */
export function withAttack(draft: EvaluationDraft, attack: string, plan: Plan): EvaluationDraft {
  const fresh = draftOf(completeEvaluation(attackOf(attack), {}, evaluationContext(plan)));
  const keys = evaluationKeys(attackOf(attack));
  const common = ['norm', 'epsilon', 'epsilons', 'samples', 'batchSize', 'keep', 'seed', 'weights'].filter((name) => {
    const key = keys[name];
    return key && (key.kind !== 'choice' || (draft[name] ?? '') in key.choices);
  });
  const kept = Object.fromEntries(common.flatMap((name) => (name in draft ? [[name, draft[name]!]] : [])));
  const changed: EvaluationDraft = { ...fresh, ...kept };
  // What follows from what was kept follows here too.
  return withField(changed, 'epsilon', changed['epsilon'] ?? '', plan);
}

/** The evaluation, or null and what to do about each field that is wrong. */
export function readDraft(
  draft: EvaluationDraft,
  plan: Plan,
): { evaluation: EvaluationPlan | null; problems: ReadonlyMap<string, string> } {
  const problems = new Map<string, string>();
  const attack = attackOf(draft['attack']);
  const read = Object.entries(evaluationKeys(attack)).map(([name, key]) => {
    const { value, problem } = readField(key, draft[name] ?? '', limitOf(name, draft, plan));
    if (problem !== null) problems.set(name, problem);
    return [name, value] as const;
  });
  if (problems.size > 0) return { evaluation: null, problems };
  return { evaluation: completeEvaluation(attack, Object.fromEntries(read), evaluationContext(plan)), problems };
}

/** What a value may be at most besides what its key says. */
function limitOf(name: string, draft: EvaluationDraft, plan: Plan): number {
  if (name === 'samples') return plan.dataset.testSamples ?? Infinity;
  const isLength = name === 'epsilon' || name === 'epsilons' || name === 'stepSize';
  return isLength && draft['norm'] === 'linf' ? 1 : Infinity;
}

function readField(key: AttackKey, text: string, limit: number): { value: unknown; problem: string | null } {
  switch (key.kind) {
    case 'number':
      return readNumber(key, text, limit);
    case 'choice':
      return { value: text, problem: text in key.choices ? null : 'Choose one.' };
    case 'list': {
      const parts = text.trim() === '' ? [] : text.split(',').map((part) => readNumber(key.item, part, limit));
      const isTooLong = parts.length > key.maxLength;
      const problem = isTooLong
        ? `Give at most ${key.maxLength.toString()} values.`
        : parts.find((part) => part.problem)?.problem;
      return { value: parts.map(({ value }) => value), problem: problem ?? null };
    }
    case 'place': {
      const value = text.trim();
      const problem =
        value === '' ? `Give ${key.expected}.` : value.length > placeCharacters ? 'Give a shorter path.' : null;
      return { value, problem };
    }
    default:
      return key satisfies never;
  }
}

function readNumber(key: NumberKey, text: string, limit: number): { value: number; problem: string | null } {
  const { isInteger = false, min, isMinExcluded = false, isMaxExcluded = false } = key;
  const max = Math.min(key.max, limit);
  const value = isInteger ? (/^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN) : parseFraction(text);
  const isWithin = (isMinExcluded ? value > min : value >= min) && (isMaxExcluded ? value < max : value <= max);
  if (isWithin) return { value, problem: null };
  const range = `${isMinExcluded ? '(' : '['}${min.toString()}, ${max.toString()}${isMaxExcluded ? ')' : ']'}`;
  const problem = isInteger
    ? `Give a whole number from ${formatCount(min)} to ${formatCount(max)}.`
    : `Give a number in ${range}${key.isPixelLength ? ', such as 8/255' : ''}.`;
  return { value, problem };
}

function draftOf(plan: EvaluationPlan): EvaluationDraft {
  const texts = Object.entries(evaluationKeys(plan.attack)).map(([name, key]) => {
    const value: unknown = { ...plan }[name as keyof EvaluationPlan];
    return [name, Array.isArray(value) ? value.map((one) => fieldText(key, one)).join(', ') : fieldText(key, value)];
  });
  return { attack: plan.attack, ...(Object.fromEntries(texts) as Record<string, string>) };
}

function fieldText(key: AttackKey, value: unknown): string {
  const number = key.kind === 'list' ? key.item : key;
  return number.kind === 'number' && number.isPixelLength ? formatFraction(value as number) : String(value);
}

function choiceText(value: string): string {
  return value === 'linf' ? 'L∞' : value === 'l2' ? 'L2' : value;
}

function attackOf(name: string | undefined): EvaluationName {
  return evaluationNames.find((one) => one === name) ?? 'pgd';
}
