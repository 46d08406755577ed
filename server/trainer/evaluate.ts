// An evaluation of a plan on saved weights, as records. The attack itself is in server/attack.
import { auditEvaluation } from '../attack/audit/audit.ts';
import { evaluateAttack } from '../attack/evaluation.ts';
import type { EvaluationState } from '../attack/evaluationState.ts';
import type { KeptBatch } from '../attack/keptImages.ts';
import { partRange } from '../attack/partRange.ts';
import type { Merged } from '../attack/parts.ts';
import { wilsonInterval } from '../protocol/proportion.ts';
import { certify } from '../certificate/certify.ts';
import type { Affine } from '../certificate/certificate.ts';
import type { Dataset } from '../data/split.ts';
import { detect } from '../detector/detect.ts';
import { attacksOnDetector, isAttackPlan, isCertificatePlan, isDetectorPlan } from '../protocol/evaluationPlan.ts';
import type { EvaluationPlan, PartPlan, Plan } from '../protocol/plan.ts';
import type { RunRecord } from '../protocol/records.ts';
import { layOutNetwork, type LayerLayout } from '../network/layout.ts';
import { endsOf, networkOf } from './planNetwork.ts';
import { epochsBefore, stepsInEpoch } from './schedule.ts';
import { evaluatedWeights, isSameNetwork, surrogateNetworks, type Surrogates } from './surrogate.ts';
import { restoreNetwork, type TrainingState } from './trainingState.ts';

export interface EvaluateOptions {
  /** The weights attacked; optimizer moments may be missing. */
  readonly state: TrainingState;
  /** 1, 2, … within the run. */
  readonly number: number;
  /** Aborting ends it after the attack step at hand with the figures of the batches that are done. */
  readonly signal: AbortSignal;
  /** What was done of the same evaluation before it was interrupted; null where it was before its first batch. */
  readonly from?: EvaluationState | null;
  /** The images that an attack has; all where it is left out. */
  readonly part?: PartPlan | undefined;
  /** An attack whose parts were done elsewhere: what they found. */
  readonly merged?: Merged | undefined;
  /** Given the first images that the plan keeps, batch by batch, before the batch's last record. */
  readonly onKept?: (batch: KeptBatch) => void;
  /** What `transfer` makes its images on, also against a detector. */
  readonly surrogates?: Surrogates | undefined;
}

/**
 * Yields `evaluationStarted`, `attackProgress` after each stage on each batch, and `evaluationFinished`.
 * @throws StateMismatchError where the state belongs to another network; SurrogateError where a surrogate does not fit.
 */
export async function* evaluate(
  plan: Plan,
  evaluation: EvaluationPlan,
  dataset: Dataset,
  { state, number, signal, from, part, merged, onKept, surrogates = new Map() }: EvaluateOptions,
): AsyncGenerator<RunRecord> {
  const beside = surrogateNetworks(surrogates, { plan, dataset });
  const network = networkOf(plan, dataset);
  try {
    const of = evaluation.weights === 'raw' ? 'model' : evaluatedWeights(plan);
    restoreNetwork(network, state, of);
    const epoch = epochsBefore(state.step, stepsInEpoch(plan.training, dataset.train.nSamples));
    network.setEpoch(epoch);
    const nSamples = Math.min(evaluation.samples, dataset.test.nSamples);
    const range = isAttackPlan(evaluation) ? partRange(evaluation, nSamples, part) : { first: 0, end: nSamples };
    yield {
      type: 'evaluationStarted',
      evaluation: number,
      plan: evaluation,
      step: state.step,
      samples: range.end - range.first,
      ...(from !== undefined && { from: from?.samples ?? 0 }),
      ...(of === 'average' && { weights: of }),
      ...(surrogates.size > 0 && { surrogates: [...surrogates.values()].map(({ origin }) => origin) }),
    };
    for (const progress of merged?.progress ?? []) yield { type: 'attackProgress', evaluation: number, ...progress };
    const done = merged?.state ?? from ?? undefined;
    const given = { seed: plan.seed, signal, from: done, onKept };
    const robust = [...(done?.robust ?? [])];
    const layouts = layOutNetwork(plan.model, endsOf(plan, dataset));
    const attack = isAttackPlan(evaluation)
      ? evaluateAttack(network, dataset, evaluation, {
          ...given,
          part,
          surrogate: 'from' in evaluation ? beside.get(evaluation.from) : undefined,
        })
      : isDetectorPlan(evaluation)
        ? detect(network, dataset, evaluation, {
            ...given,
            attacks: attacksOnDetector(evaluation, plan.evaluation),
            surrogates: beside,
          })
        : certify(network, dataset, evaluation, {
            ...given,
            layouts,
            epoch,
            normalization: normalizationOf(plan, dataset),
          });
    for (;;) {
      const { value, done } = await attack.next();
      if (!done) {
        robust[value.restart] = value.robust;
        yield { type: 'attackProgress', evaluation: number, ...value };
        continue;
      }
      const { normalization } = plan.model;
      const std = normalization && normalization !== 'dataset' ? normalization.std : null;
      const known = {
        outcomes: value.outcomes,
        samples: value.samples,
        robust,
        std,
        activations: activationsOf(layouts),
      };
      const isOwnSurrogate = [...surrogates.values()].some((one) => isSameNetwork(one, { plan, state, of }));
      const options = { ...known, seed: plan.seed, signal, isOwnSurrogate };
      const isAudited = isAttackPlan(evaluation) && !value.isPartial && !part;
      const audit = !isAudited ? null : await auditEvaluation(network, dataset, evaluation, options);
      yield {
        type: 'evaluationFinished',
        evaluation: number,
        samples: value.samples,
        clean: wilsonInterval(value.clean, value.samples),
        robust: wilsonInterval(value.robust, value.samples),
        ...(value.thesis !== null && { thesis: wilsonInterval(value.thesis, value.samples) }),
        passes: value.passes,
        ...(isCertificatePlan(evaluation) && { abstained: value.outcomes.filter((outcome) => outcome === 3).length }),
        ...(audit && { audit }),
        isPartial: value.isPartial,
      };
      return;
    }
  } finally {
    network.dispose();
    for (const one of beside.values()) one.dispose();
  }
}

/** The first layer of the network and, of a table, what takes standard deviations of columns back to their values, as one. */
function normalizationOf({ model }: Plan, { columns }: Dataset): Affine | null {
  const figures = model.normalization === 'dataset' ? columns : model.normalization;
  if (!figures && !columns) return null;
  const nChannels = (figures ?? columns)!.mean.length;
  const at = (of: { readonly mean: readonly number[]; readonly std: readonly number[] } | null, channel: number) =>
    of ? { mean: of.mean[channel]!, std: of.std[channel]! } : { mean: 0, std: 1 };
  const channels = Array.from({ length: nChannels }, (_, channel) => {
    const [layer, column] = [at(figures, channel), at(columns, channel)];
    return { scale: column.std / layer.std, shift: (column.mean - layer.mean) / layer.std };
  });
  return { scale: channels.map(({ scale }) => scale), shift: channels.map(({ shift }) => shift) };
}

/** What kind each activation layer is of, those in branches too. */
function activationsOf(layouts: readonly LayerLayout[]): string[] {
  return layouts.flatMap((layout) => {
    switch (layout.type) {
      case 'activation':
        return [layout.activation.type];
      case 'residual':
        return activationsOf([...layout.branch, ...layout.skip]);
      case 'concat':
        return activationsOf(layout.ways.flat());
      default:
        return [];
    }
  });
}
