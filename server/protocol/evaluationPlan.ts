// An evaluation's plan: one attack or certificate of evaluationTable.ts with all its settings; its defaults, and the stages that it
// runs through.
import type { RunsOfAttack } from './attackEntry.ts';
import type { AttackName, PlanOfAttack } from './attackTable.ts';
import type { CertificateName, PlanOfCertificate } from './certificateTable.ts';
import type { DetectorName, PlanOfDetector } from './detectorTable.ts';
import { evaluationEntry, evaluationKeys, evaluationKind, type EvaluationName } from './evaluationTable.ts';
import { completeKeys, type DefaultContext } from './attackKey.ts';

export type AttackPlan = { [A in AttackName]: PlanOfAttack<A> }[AttackName];
export type CertificatePlan = { [C in CertificateName]: PlanOfCertificate<C> }[CertificateName];
export type DetectorPlan = { [D in DetectorName]: PlanOfDetector<D> }[DetectorName];
export type EvaluationPlan = AttackPlan | CertificatePlan | DetectorPlan;

export function isAttackPlan(plan: EvaluationPlan): plan is AttackPlan {
  return evaluationKind(plan.attack) === 'attack';
}

export function isCertificatePlan(plan: EvaluationPlan): plan is CertificatePlan {
  return evaluationKind(plan.attack) === 'certificate';
}

export function isDetectorPlan(plan: EvaluationPlan): plan is DetectorPlan {
  return evaluationKind(plan.attack) === 'detector';
}

/** Of the first so many images the attacked ones are kept. */
export function keptImages(plan: EvaluationPlan): number {
  return isAttackPlan(plan) ? plan.keep : 0;
}

/** The plan with what is not given at its default. Checks nothing. */
export function completeEvaluation(
  attack: AttackName,
  given: Readonly<Record<string, unknown>>,
  context: DefaultContext,
): AttackPlan;
export function completeEvaluation(
  attack: EvaluationName,
  given: Readonly<Record<string, unknown>>,
  context: DefaultContext,
): EvaluationPlan;
export function completeEvaluation(
  attack: EvaluationName,
  given: Readonly<Record<string, unknown>>,
  context: DefaultContext,
): EvaluationPlan {
  return completeKeys(evaluationKeys(attack), given, context, { attack }) as unknown as EvaluationPlan;
}

/** One run of one attack at one ε, on what all stages before it left standing. */
export interface Stage {
  readonly attack: EvaluationName;
  readonly epsilon: number;
  /** With the settings of the attack that runs, at the stage's ε. */
  readonly plan: EvaluationPlan;
  /** Of this attack at this ε, from 0. */
  readonly run: number;
  readonly called: RunsOfAttack['called'];
  readonly axis: RunsOfAttack['axis'];
  /** Points of the record, the start among them. */
  readonly nPoints: number;
}

/** In the order in which they run: by ε, then by attack, then by run. The position is the `restart` of a record. */
export function stagesOf(plan: EvaluationPlan): Stage[] {
  return epsilonsOf(plan).flatMap((epsilon) =>
    membersOf({ ...plan, epsilon }).flatMap((member) => {
      const { count, called, axis, length } = evaluationEntry(member.attack).runs({ ...member });
      return Array.from({ length: count }, (_, run) => ({
        ...{ attack: member.attack, epsilon, plan: member, run, called, axis, nPoints: length + 1 },
      }));
    }),
  );
}

/** Ascending, the plan's own among them. */
export function epsilonsOf(plan: EvaluationPlan): number[] {
  const more: readonly number[] = 'epsilons' in plan ? plan.epsilons : [];
  return [...new Set([...more, plan.epsilon])].sort((a, b) => a - b);
}

/** The attacks that it is made of; itself, where it is none. */
function membersOf(plan: EvaluationPlan): EvaluationPlan[] {
  const members = evaluationEntry(plan.attack).members?.({ ...plan });
  if (!members) return [plan];
  if (!isAttackPlan(plan)) return [plan];
  const { norm, epsilon, samples, batchSize, seed, weights, protocol } = plan;
  const common = { norm, epsilon, samples, batchSize, seed, weights, protocol };
  return members.map(([attack, given]) =>
    completeEvaluation(attack as AttackName, { ...common, ...given }, { trainedEpsilon: null, testSamples: samples }),
  );
}

/** `PGD-50-10` */
export function evaluationTitle(plan: EvaluationPlan): string {
  return evaluationEntry(plan.attack).title({ ...plan });
}

/** Where the last stage at the plan's own ε stands among the stages. */
export function headlineStage(plan: EvaluationPlan): number {
  return stagesOf(plan).findLastIndex(({ epsilon }) => epsilon === plan.epsilon);
}

/** Whether a distance is told for each image: of the nearest that fools, or up to which none does. */
export function measuresDistances(plan: EvaluationPlan): boolean {
  return evaluationEntry(plan.attack).isNearest ?? false;
}

/** An evaluation that was begun, as far as a verdict needs it. */
interface Evaluated {
  readonly started: { readonly plan: EvaluationPlan; readonly step: number };
  readonly finished: { readonly isPartial: boolean } | null;
}

/**
 * Whether a robust figure is an upper bound only: until, on the same weights and under the same threat, an attack has run to its
 * end that is stronger than PGD.
 */
export function isUpperBound({ started }: Evaluated, all: readonly Evaluated[]): boolean {
  const { plan, step } = started;
  if (!isAttackPlan(plan)) return false;
  return !all.some(
    (other) =>
      isAttackPlan(other.started.plan) &&
      evaluationEntry(other.started.plan.attack).strength === 'strong' &&
      other.finished?.isPartial === false &&
      other.started.step === step &&
      other.started.plan.weights === plan.weights &&
      other.started.plan.norm === plan.norm &&
      epsilonsOf(other.started.plan).includes(plan.epsilon),
  );
}

/** What a robust figure is beside the truth: `≤` an upper bound, `≥` a certificate's; nothing where it needs no mark. */
export function boundMark(evaluated: Evaluated, all: readonly Evaluated[]): '≤ ' | '≥ ' | '' {
  if (!isAttackPlan(evaluated.started.plan)) return isCertificatePlan(evaluated.started.plan) ? '≥ ' : '';
  return isUpperBound(evaluated, all) ? '≤ ' : '';
}

/**
 * Where a curve of certified or robust accuracy by distance is worth a figure: at 0, and at quarters of the farthest rounded down to two
 * digits. @param distances by image; infinities count for nothing
 */
export function distanceTicks(distances: Float32Array): number[] {
  const farthest = distances.reduce((most, distance) => (distance < Infinity ? Math.max(most, distance) : most), 0);
  if (farthest === 0) return [0];
  const unit = 10 ** (Math.floor(Math.log10(farthest)) - 1);
  const top = Math.floor(farthest / unit) * unit;
  return [0, 0.25, 0.5, 0.75, 1].map((share) => Number((share * top).toPrecision(3)));
}

/** The attacks that a detector is tried against: those of the experiment, or PGD at its own threat. */
export function attacksOnDetector(plan: DetectorPlan, evaluation: readonly EvaluationPlan[]): AttackPlan[] {
  const { norm, epsilon, samples, batchSize } = plan;
  const planned = evaluation.filter(isAttackPlan);
  const given = { norm, epsilon, samples, batchSize, steps: 20, restarts: 1 };
  return planned.length > 0 ? planned : [completeEvaluation('pgd', given, { trainedEpsilon: null, testSamples: null })];
}

/**
 * Where the other networks lie that images are made on, each once: `from` of a transfer, or of those that a detector is tried against.
 * @param evaluation of the experiment
 */
export function surrogatePlaces(plan: EvaluationPlan, evaluation: readonly EvaluationPlan[]): string[] {
  const attacks = isDetectorPlan(plan) ? attacksOnDetector(plan, evaluation) : [plan];
  return [...new Set(attacks.flatMap((one) => (one.attack === 'transfer' ? [one.from] : [])))];
}

/** `restart 3`; of a composition `APGD-T, target 3`; of a curve `ε 8/255, restart 3` with the ε as the caller writes it. */
export function stageText(plan: EvaluationPlan, stage: Stage, epsilonText: (epsilon: number) => string): string {
  const isComposed = stage.attack !== plan.attack;
  return [
    ...(epsilonsOf(plan).length > 1 ? [`ε ${epsilonText(stage.epsilon)}`] : []),
    ...(isComposed ? [evaluationEntry(stage.attack).name] : []),
    `${stage.called} ${String(stage.run + 1)}`,
  ].join(', ');
}

/**
 * By the protocol of the thesis: images that are right after the restart, at the plan's ε, that changed the most answers. Null where
 * nothing is counted.
 * @param counts by stage
 */
export function thesisFigure(
  plan: Pick<EvaluationPlan, 'epsilon'>,
  stages: readonly Pick<Stage, 'epsilon'>[],
  counts: readonly { readonly right: Int32Array; readonly fooled: Int32Array }[],
): number | null {
  const own = counts.filter((_, index) => stages[index]?.epsilon === plan.epsilon);
  const most = Math.max(...own.map(({ fooled }) => fooled.at(-1) ?? 0));
  return own.find(({ fooled }) => fooled.at(-1) === most)?.right.at(-1) ?? null;
}
