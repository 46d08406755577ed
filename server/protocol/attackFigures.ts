// What attacks left standing of a run's weights: one figure for each attack with its settings, in the order in which they deserve to be
// shown. The first is the run's own; a weaker attack, or another one, never takes its place.
import { evaluationEntry } from './evaluationTable.ts';
import {
  completeEvaluation,
  evaluationTitle,
  isAttackPlan,
  isUpperBound,
  stagesOf,
  type AttackPlan,
  type EvaluationPlan,
} from './evaluationPlan.ts';
import type { Plan } from './plan.ts';
import { wilsonInterval } from './proportion.ts';
import type { OfWeights, Proportion } from './records.ts';

export interface AttackFigure extends OfWeights {
  readonly plan: AttackPlan;
  /** Of the weights attacked. */
  readonly step: number;
  /** Images attacked: fewer than the plan's where it was stopped, or where there are no more. */
  readonly samples: number;
  /** Of them, right as they are and under the attack at the plan's ε. */
  readonly standing: number;
  /** Of them, right as they are; absent of the attack of a test, which does not tell. */
  readonly clean?: number | undefined;
  /** Of them, by the protocol of the thesis, where the plan asks for it. */
  readonly thesis?: number | undefined;
  /** Made by each test of the training, not by an evaluation. */
  readonly isOfTest?: true | undefined;
  readonly isPartial?: true | undefined;
}

/** An evaluation that has begun and has not come to its end. */
export interface AttackUnderWay extends OfWeights {
  readonly plan: EvaluationPlan;
  readonly step: number;
}

/** A run is attacked by hand now and then; a script may do so for ever. */
const mostFigures = 64;

/**
 * The figures with one more. Of the same attack, that of the later weights stays, and of the same weights the one that saw more images,
 * else the newer.
 */
export function withFigure(figures: readonly AttackFigure[], added: AttackFigure, plan: Plan): readonly AttackFigure[] {
  const same = figures.find((one) => isSameAttack(one.plan, added.plan));
  if (same && (same.step > added.step || (same.step === added.step && same.samples > added.samples))) return figures;
  const order = orderOf(plan);
  return [...figures.filter((one) => one !== same), added].sort(order).slice(0, mostFigures);
}

/** Whether two plans say the same of every image; how many are attacked at once, and how many are kept, changes nothing. */
export function isSameAttack(a: AttackPlan, b: AttackPlan): boolean {
  return evaluationKey(a) === evaluationKey(b);
}

/** One for all plans that say the same of every image. */
export function evaluationKey(plan: EvaluationPlan): string {
  const entries = Object.entries({ ...plan, batchSize: null, keep: null });
  return entries
    .map((entry) => JSON.stringify(entry))
    .sort()
    .join();
}

/**
 * First the evaluation that the plan names. Behind it those of its threat before those of others, those by an attack worth the name
 * before noise and single steps, those of later weights before earlier, and the stronger before the weaker.
 */
function orderOf(plan: Plan): (a: AttackFigure, b: AttackFigure) => number {
  const named = namedAttack(plan);
  const threat = named ?? testAttack(plan, { samples: 1 });
  const rank = (one: AttackFigure): number[] => [
    Number(named !== null && isSameAttack(one.plan, named)),
    Number(one.plan.norm === threat.norm && one.plan.epsilon === threat.epsilon),
    Number(evaluationEntry(one.plan.attack).strength !== 'floor'),
    one.step,
    ...strengthOf(one.plan),
    one.samples,
  ];
  return (a, b) => {
    const [ofA, ofB] = [rank(a), rank(b)];
    return ofB.map((value, index) => value - ofA[index]!).find((difference) => difference !== 0) ?? 0;
  };
}

/** Of the attacks that the plan ends with, the strongest under the threat of the first; null where it names none. */
export function namedAttack({ evaluation }: Pick<Plan, 'evaluation'>): AttackPlan | null {
  // What is certified is no attack's figure.
  const attacks = evaluation.filter(isAttackPlan);
  const [first] = attacks;
  if (!first) return null;
  return attacks
    .filter(({ norm, epsilon }) => norm === first.norm && epsilon === first.epsilon)
    .reduce((best, one) => {
      const [kind, points] = strengthOf(one);
      const [bestKind, mostPoints] = strengthOf(best);
      return kind > bestKind || (kind === bestKind && points > mostPoints) ? one : best;
    });
}

/** The attack of each test of the training: PGD of one restart and `observe.robustSteps` steps of ε/4, at the training's threat. */
export function testAttack(
  { training: { threat, batchSize }, observe }: Plan,
  { samples }: { readonly samples: number },
): AttackPlan {
  const { norm = 'linf', epsilon } = threat ?? {};
  const given = { norm, epsilon, steps: observe.robustSteps, restarts: 1, loss: 'cross-entropy', samples, batchSize };
  return completeEvaluation('pgd', given, { trainedEpsilon: null, testSamples: null });
}

/** Its kind, then how many points it tries at its ε. */
function strengthOf(plan: AttackPlan): [kind: number, points: number] {
  const kind = ['floor', 'usual', 'strong'].indexOf(evaluationEntry(plan.attack).strength);
  const own = stagesOf({ ...plan, ...('epsilons' in plan && { epsilons: [] }) });
  return [kind, own.reduce((sum, { nPoints }) => sum + nPoints, 0)];
}

function figureProportion({ standing, samples }: AttackFigure): Proportion {
  return wilsonInterval(standing, samples);
}

/**
 * `PGD-50-10 8/255`, under L2 `PGD-50-10 L2 0.5`, of averaged weights `PGD-50-10 8/255 averaged`; of an evaluation whose weights are
 * not those of the run's last step, with theirs.
 * Tests follow the training, and lag behind it as a rule.
 */
export function figureName(figure: AttackFigure, runStep: number): string {
  const { plan, step, isOfTest } = figure;
  const older = step === runStep || isOfTest ? '' : ` at step ${String(step)}`;
  const of = weightsWord(figure);
  return `${evaluationTitle(plan)} ${epsilonText(plan)}${of === '' ? '' : ` ${of}`}${older}`;
}

/** `averaged` of a moving average of the weights, `raw` where an evaluation was asked not to take it; else nothing. */
export function weightsWord({
  plan,
  weights,
}: OfWeights & { readonly plan: Pick<EvaluationPlan, 'weights'> }): 'averaged' | 'raw' | '' {
  if (weights === 'average') return 'averaged';
  return plan.weights === 'raw' ? 'raw' : '';
}

export function epsilonText({ norm, epsilon }: Pick<AttackPlan, 'norm' | 'epsilon'>): string {
  return norm === 'linf'
    ? `${String(Number((epsilon * 255).toPrecision(3)))}/255`
    : `L2 ${String(Number(epsilon.toPrecision(4)))}`;
}

/** `≤ 38.9 %`, with the sign where no attack stronger than PGD has come to its end on the same weights. */
export function figureValue(figure: AttackFigure, all: readonly AttackFigure[]): string {
  return `${isBound(figure, all) ? '≤ ' : ''}${percentage(figureProportion(figure).value)} %`;
}

/** `35.9 – 42.0`, in per cent. */
export function figureInterval(figure: AttackFigure): string {
  const { low, high } = figureProportion(figure);
  return `${percentage(low)} – ${percentage(high)}`;
}

/** `≤ 38.9 % (35.9 – 42.0)` */
export function figureText(figure: AttackFigure, all: readonly AttackFigure[]): string {
  return `${figureValue(figure, all)} (${figureInterval(figure)})`;
}

export function isBound(figure: AttackFigure, all: readonly AttackFigure[]): boolean {
  const evaluated = ({ plan, step, isPartial }: AttackFigure) => ({
    started: { plan, step },
    finished: { isPartial: isPartial === true },
  });
  return isUpperBound(evaluated(figure), all.map(evaluated));
}

function percentage(value: number): string {
  return (100 * value).toFixed(1);
}
