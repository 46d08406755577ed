// What "Evaluate Run…" offers, made from evaluationTable.ts, and what is read from its input boxes. Pure.
import type { AttackKey, PlaceKey } from '../../server/protocol/attackKey.ts';
import {
  evaluationEntry,
  evaluationKeys,
  evaluationKind,
  evaluationNames,
  type EvaluationKind,
  type EvaluationName,
} from '../../server/protocol/evaluationTable.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';

export interface EvaluationChoice {
  readonly label: string;
  readonly description: string;
  readonly attack: EvaluationName;
  /** Settings that are not the defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
}

type Preset = Pick<EvaluationChoice, 'label' | 'description' | 'settings'>;

/** In the place of one line for each, what is mostly asked for. */
const presets: { readonly [E in EvaluationName]?: readonly Preset[] } = {
  pgd: [
    { label: 'PGD-10', description: '10 steps, 1 restart: a first look', settings: { steps: 10, restarts: 1 } },
    { label: 'PGD-20', description: '20 steps, 1 restart', settings: { steps: 20, restarts: 1 } },
    { label: 'PGD-50-10', description: '50 steps, 10 restarts', settings: {} },
  ],
  autoattack: [{ label: 'AutoAttack', description: 'APGD-CE, APGD-T, FAB-T, Square: what to report', settings: {} }],
};

/** By kind; those with presets first, else in the table's order. */
export const evaluationChoices: readonly (readonly [EvaluationKind, readonly EvaluationChoice[]])[] = (
  ['attack', 'certificate', 'detector'] as const
).map((kind) => {
  const names = evaluationNames.filter((name) => evaluationKind(name) === kind);
  const ordered = [...names.filter((name) => presets[name]), ...names.filter((name) => !presets[name])];
  return [kind, ordered.flatMap(choicesOf)];
});

function choicesOf(attack: EvaluationName): EvaluationChoice[] {
  const { name, description } = evaluationEntry(attack);
  return (presets[attack] ?? [{ label: name, description, settings: {} }]).map((preset) => ({ attack, ...preset }));
}

/** The settings without a default, which have to be asked for. */
export function placesOf(attack: EvaluationName): [name: string, key: PlaceKey][] {
  return Object.entries(evaluationKeys(attack)).flatMap(([name, key]) => (key.kind === 'place' ? [[name, key]] : []));
}

/**
 * The plan with which the input boxes open: norm, ε and number of images are those of `first`, the run's own, where this evaluation can
 * have them; a certificate or detector begins with no more images than it has by default.
 */
export function proposedPlan({ attack, settings }: EvaluationChoice, first: EvaluationPlan): EvaluationPlan {
  const takesNorm = hasChoice(evaluationKeys(attack)['norm'], first.norm);
  const threat = takesNorm ? { norm: first.norm, epsilon: first.epsilon } : {};
  const context = { trainedEpsilon: null, testSamples: null };
  const plan = completeEvaluation(attack, { ...settings, ...threat }, context);
  const most = evaluationKind(attack) === 'attack' ? Infinity : plan.samples;
  return { ...plan, samples: Math.min(first.samples, most) };
}

function hasChoice(key: AttackKey | undefined, value: string): boolean {
  return key?.kind === 'choice' && value in key.choices;
}

/** What was asked for, with all that follows from it: steps of a quarter of ε where they are of one length. */
export function evaluationPlan(
  { attack, settings }: EvaluationChoice,
  asked: Pick<EvaluationPlan, 'norm' | 'epsilon' | 'samples'> & Readonly<Record<string, unknown>>,
): EvaluationPlan {
  const context = { trainedEpsilon: null, testSamples: asked.samples };
  return completeEvaluation(attack, { ...settings, ...asked }, context);
}

/** `8/255` where it is such, as people write it. */
export function fractionText(epsilon: number): string {
  const parts = Number((epsilon * 255).toPrecision(12));
  return Number.isInteger(parts) ? `${String(parts)}/255` : String(epsilon);
}

/** `8/255` or `0.03`; null for what is no number in (0, most]: 1 under L∞. */
export function parseEpsilon(text: string, most = 1): number | null {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:\/\s*(\d+(?:\.\d+)?|\.\d+)\s*)?$/.exec(text);
  if (!match) return null;
  const value = Number(match[1]) / Number(match[2] ?? 1);
  return value > 0 && value <= most ? value : null;
}

/** The largest ε. */
export function mostEpsilon({ attack, norm }: Pick<EvaluationPlan, 'attack' | 'norm'>): number {
  const key = evaluationKeys(attack)['epsilon'];
  return norm === 'linf' ? 1 : key?.kind === 'number' ? key.max : Infinity;
}

/** A whole number of at least 1; null otherwise. */
export function parseSamples(text: string): number | null {
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  return value >= 1 && Number.isSafeInteger(value) ? value : null;
}
