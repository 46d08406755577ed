// An evaluation told to a terminal: what attacks, how far it is, what stands; curves of ε and of distances as lines.
import { weightsWord } from '../protocol/attackFigures.ts';
import {
  epsilonsOf,
  evaluationTitle,
  isAttackPlan,
  isDetectorPlan,
  isUpperBound,
  stagesOf,
  stageText,
  type EvaluationPlan,
} from '../protocol/evaluationPlan.ts';
import { detectionsAt, rocOf } from '../protocol/roc.ts';
import { wilsonInterval } from '../protocol/proportion.ts';
import type {
  AttackProgressRecord,
  Detection,
  EvaluationFinishedRecord,
  EvaluationStartedRecord,
  Proportion,
  RunRecord,
} from '../protocol/records.ts';
import type { Terminal } from './terminal.ts';

interface Heard {
  readonly started: EvaluationStartedRecord;
  finished: EvaluationFinishedRecord | null;
  readonly progress: Map<number, AttackProgressRecord>;
}

/** Hears the records of a run's evaluations, one after another. */
export class EvaluationReport {
  readonly #terminal: Terminal;
  readonly #heard: Heard[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  hear(record: RunRecord): void {
    const heard = this.#heard.at(-1);
    switch (record.type) {
      case 'evaluationStarted': {
        this.#heard.push({ started: record, finished: null, progress: new Map() });
        const { plan, samples, step } = record;
        const threat = `${plan.norm} · ε ${pixels(plan.epsilon)}`;
        const protocol = isAttackPlan(plan) ? plan.protocol : isDetectorPlan(plan) ? 'detector' : 'certified';
        const word = weightsWord(record);
        const averaged = word === '' ? '' : `${word} `;
        const size = `${String(samples)} images · ${averaged}weights of step ${String(step)}`;
        this.#terminal.line(`${evaluationTitle(plan)} · ${threat} · ${size} · ${protocol}`);
        for (const { runId, step: ofStep } of record.surrogates ?? []) {
          this.#terminal.line(`images made on ${runId}, weights of step ${String(ofStep)}`);
        }
        return;
      }
      case 'attackProgress': {
        if (!heard) return;
        heard.progress.set(record.restart, record);
        const { plan } = heard.started;
        const layer = record.samples === 0 ? record.layers?.at(-1) : undefined;
        if (layer) {
          this.#terminal.progress(`${layer.layer} · at most ${String(Number(layer.bound.toPrecision(4)))}`);
          return;
        }
        const stage = stagesOf(plan)[record.restart];
        const which = stage ? stageText(plan, stage, pixels) : `run ${String(record.restart + 1)}`;
        const standing = String(record.robust.at(-1) ?? 0);
        this.#terminal.progress(`${which} · ${String(record.samples)} images · ${standing} stand`);
        return;
      }
      case 'evaluationFinished':
        if (!heard) return;
        heard.finished = record;
        this.#tellEnd(heard, record);
        return;
      default:
    }
  }

  #tellEnd(heard: Heard, finished: EvaluationFinishedRecord): void {
    const { clean, robust, thesis, samples, isPartial, passes, audit, abstained } = finished;
    const { plan } = heard.started;
    const line = (text: string) => {
      this.#terminal.line(text);
    };
    line(`clean  ${interval(clean)}`);
    const called = isAttackPlan(plan) ? 'robust' : isDetectorPlan(plan) ? 'stands, or is noticed' : 'certified';
    line(`${called} ${interval(robust)}`);
    if (isDetectorPlan(plan))
      tellDetections(plan.falseAlarms, [...heard.progress.values()].at(-1)?.detections ?? [], line);
    const bound = [...heard.progress.values()].at(-1)?.layers?.at(-1);
    if (bound) line(`       Lipschitz constant at most ${String(Number(bound.product.toPrecision(4)))}`);
    if (abstained) line(`       it abstains from ${String(abstained)} images`);
    if (thesis) line(`       by the thesis's protocol, which flatters: ${interval(thesis)}`);
    if (samples > 0 && isUpperBound(heard, this.#heard))
      line('       an upper bound until an attack stronger than PGD has run: --attack autoattack');
    if (!isPartial)
      for (const { epsilon, proportion } of curveOf(plan, heard.progress))
        line(`  ε ${pixels(epsilon)}: ${interval(proportion)}`);
    line(isPartial ? `stopped after ${String(samples)} images` : `on ${String(samples)} images`);
    if (passes) line(`${String(passes.forward)} passes of an image forwards, ${String(passes.backward)} backwards`);
    for (const { measured, means, next } of audit ?? []) line(`audit: ${measured} ${means} ${next}`);
    if (audit?.length === 0) line('audit: nothing was found that makes these figures doubtful');
  }
}

/** Area under the ROC curve, and what is noticed at the share of false alarms, by attack. */
export function tellDetections(
  falseAlarms: number,
  detections: readonly Detection[],
  line: (text: string) => void,
): void {
  for (const { against, clean, attacked } of detections) {
    const roc = rocOf(clean, attacked);
    const figures =
      attacked.length === 0
        ? 'fools nothing'
        : `AUC ${roc.area.toFixed(3)}, notices ${percent(detectionsAt(roc, falseAlarms))} at ${percent(falseAlarms)} false alarms, of ${String(attacked.length)} images`;
    line(`  against ${against}: ${figures}`);
  }
}

/** Robust accuracy by ε: of a list of ε each, of distances their tenths. */
function curveOf(
  plan: EvaluationPlan,
  progress: ReadonlyMap<number, AttackProgressRecord>,
): { epsilon: number; proportion: Proportion }[] {
  const distances = [...progress.values()].at(-1)?.distances;
  if (distances) {
    const found = [...distances].filter((distance) => distance > 0 && distance < Infinity).sort((a, b) => a - b);
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => found[Math.ceil(((tenth + 1) * found.length) / 10) - 1] ?? 0,
    );
    return [...new Set(tenths)].filter(Boolean).map((epsilon) => ({
      epsilon,
      proportion: wilsonInterval(distances.filter((distance) => distance > epsilon).length, distances.length),
    }));
  }
  const stages = stagesOf(plan);
  const epsilons = epsilonsOf(plan);
  if (epsilons.length < 2) return [];
  return epsilons.flatMap((epsilon) => {
    const last = progress.get(stages.findLastIndex((stage) => stage.epsilon === epsilon));
    return last ? [{ epsilon, proportion: wilsonInterval(last.robust.at(-1) ?? 0, last.samples) }] : [];
  });
}

function interval({ value, low, high }: Proportion): string {
  return `${percent(value)} (95 % interval ${percent(low)} to ${percent(high)})`;
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function pixels(value: number): string {
  return `${String(Number((value * 255).toPrecision(4)))}/255`;
}
