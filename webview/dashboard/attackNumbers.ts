// What the Robustness tab says of an evaluation in words and single figures, whichever attack it was.
import { evaluationEntry } from '../../server/protocol/evaluationTable.ts';
import {
  epsilonsOf,
  isAttackPlan,
  measuresDistances,
  stagesOf,
  thesisFigure,
  type EvaluationPlan,
  type Stage,
} from '../../server/protocol/evaluationPlan.ts';
import { wilsonInterval } from '../../server/protocol/proportion.ts';
import type { Proportion } from '../../server/protocol/records.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import { formatFraction, pixelTick } from '../text/numbers.ts';
import { afterFirstRestart, cleanOf, robustOf, type AttackView } from '../curves/attackCurves.ts';

export const viewNames: Readonly<Record<AttackView, { readonly text: string; readonly title: string }>> = {
  restarts: { text: 'each restart', title: 'One curve a restart, over its steps' },
  whole: { text: 'whole attack', title: 'One run after another' },
  epsilon: { text: 'by ε', title: 'What stands at each ε' },
};

export function viewTitle(shown: AttackView, { started, distances }: EvaluationView): string {
  switch (shown) {
    case 'restarts':
      return `by ${stagesOf(started.plan)[0]?.axis ?? 'step'} of each ${stagesOf(started.plan)[0]?.called ?? 'run'}`;
    case 'whole':
      return `${runsCalled(started.plan)}s one after another`;
    case 'epsilon':
      if (!isAttackPlan(started.plan)) return 'by the radius up to which nothing fools';
      return distances ? 'by the distance of the nearest image that fools' : 'by ε';
    default:
      return shown satisfies never;
  }
}

/** What the runs of an evaluation are called: a composition has of several kinds. */
export function runsCalled(plan: EvaluationPlan): string {
  const called = new Set(stagesOf(plan).map((stage) => stage.called));
  return called.size === 1 ? [...called].join('') : 'run';
}

/** Figures worth reading one by one: by attack of a composition, by ε of a curve, else by how far the attack was. */
export function numbersOf(view: EvaluationView, isBound: boolean): [string, Proportion | null][] {
  const { plan } = view.started;
  if (!isAttackPlan(plan)) return certified(view);
  const stages = stagesOf(plan);
  const last = (belongs: (stage: Stage) => boolean): Proportion | null => {
    const reached = view.restarts[stages.findLastIndex(belongs)];
    return reached ? wilsonInterval(reached.robust.at(-1) ?? Number.NaN, reached.samples) : null;
  };
  const attacks = [...new Set(stages.map(({ attack }) => attack))];
  const epsilons = epsilonsOf(plan);
  const between: [string, Proportion | null][] =
    attacks.length > 1
      ? attacks.map((attack) => [
          `after ${evaluationEntry(attack).name}`,
          last((stage) => stage.attack === attack && stage.epsilon === plan.epsilon),
        ])
      : epsilons.length > 1
        ? epsilons.map((epsilon) => [`at ε ${distanceText(epsilon, view)}`, last((stage) => stage.epsilon === epsilon)])
        : measuresDistances(plan)
          ? []
          : [
              [`before any ${stages[0]?.axis ?? 'step'}`, afterFirstRestart(view, 0)],
              [`after 1 ${stages[0]?.axis ?? 'step'}`, afterFirstRestart(view, 1)],
              ...(stages.length > 1
                ? [
                    [`after 1 ${stages[0]?.called ?? 'run'}`, afterFirstRestart(view, -1)] as [
                      string,
                      Proportion | null,
                    ],
                  ]
                : []),
            ];
  const isOver = view.finished !== null && cleanOf(view) !== null;
  const worst = `${isBound ? 'at most' : 'worst case'} at ε ${distanceText(plan.epsilon, view)}${isOver ? '' : ', so far'}`;
  const thesis = thesisOf(view);
  const flattering: [string, Proportion | null][] = thesis ? [['by the thesis’s protocol', thesis]] : [];
  return [['clean', cleanOf(view)], ...between, [worst, robustOf(view)], ...flattering];
}

/** Of a certificate: at the plan's ε, at 0, and how many it abstains from. */
function certified(view: EvaluationView): [string, Proportion | null][] {
  const { started, distances, abstained } = view;
  const samples = view.finished?.samples ?? distances?.length ?? 0;
  const beyond0 = distances && wilsonInterval(distances.filter((distance) => distance > 0).length, distances.length);
  const isOver = view.finished?.isPartial === false;
  return [
    ['clean, the network itself', cleanOf(view)],
    ['certified at all', beyond0],
    [`at least at ε ${distanceText(started.plan.epsilon, view)}${isOver ? '' : ', so far'}`, robustOf(view)],
    ...(abstained > 0 ? [['abstained from', wilsonInterval(abstained, samples)] as [string, Proportion]] : []),
  ];
}

/** What the thesis's toolbox would have said, so far; null where the plan does not ask. */
export function thesisOf({ started, thesis, restarts, finished }: EvaluationView): Proportion | null {
  if (finished?.thesis) return finished.thesis;
  const stages = stagesOf(started.plan);
  const samples = restarts.at(-1)?.samples ?? 0;
  // Only restarts that have come as far as the others can be compared.
  const level = thesis.filter((_, stage) => restarts[stage]?.samples === samples);
  const figure = thesisFigure(started.plan, stages, level);
  return figure === null || samples === 0 ? null : wilsonInterval(figure, samples);
}

export function intervalText({ low, high }: Proportion): string {
  return `${(low * 100).toFixed(1)} – ${(high * 100).toFixed(1)} %`;
}

/** `8/255`, under L2 a plain number. */
export function distanceText(value: number, { started }: EvaluationView): string {
  return started.plan.norm === 'linf' ? pixelTick(value) : formatFraction(value);
}
