// An evaluation on the small network, from its beginning to its end.
import { evaluateAttack, type EvaluationCounts, type Progress } from '../../server/attack/evaluation.ts';
import type { EvaluationState } from '../../server/attack/evaluationState.ts';
import type { KeptBatch } from '../../server/attack/keptImages.ts';
import type { OnFooled } from '../../server/attack/trial.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import type { PartPlan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { smallDataset, smallNetwork, type SmallNetworkOptions } from './smallNetwork.ts';

/** Of these two are wrong as they are. */
export const nSamples = 17;

interface RunOptions extends SmallNetworkOptions {
  readonly onFooled?: OnFooled;
  readonly onKept?: (batch: KeptBatch) => void;
  readonly from?: EvaluationState;
  readonly part?: PartPlan;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: () => void;
  /** How far the network that `transfer` makes its images on is from the one attacked. */
  readonly surrogateOffset?: number;
}

export async function run(
  plan: AttackPlan,
  {
    onFooled,
    onKept,
    from,
    part,
    seed = 9,
    signal = new AbortController().signal,
    onProgress,
    surrogateOffset = 0.2,
    ...options
  }: RunOptions = {},
): Promise<{ counts: EvaluationCounts; progress: Progress[] }> {
  const network = smallNetwork(options);
  const surrogate = plan.attack === 'transfer' ? smallNetwork({ ...options, offset: surrogateOffset }) : undefined;
  const given = { seed, signal, from, part, onFooled, onKept, surrogate };
  const attack = evaluateAttack(network, smallDataset(nSamples), plan, given);
  const progress: Progress[] = [];
  try {
    for (;;) {
      const { value, done } = await attack.next();
      if (done) return { counts: value, progress };
      progress.push(value);
      onProgress?.();
    }
  } finally {
    network.dispose();
    surrogate?.dispose();
  }
}

/** The records of so many parts, each attacked by itself. */
export async function runParts(plan: AttackPlan, of: number): Promise<RunRecord[][]> {
  const parts: RunRecord[][] = [];
  for (let index = 0; index < of; index++) {
    const { counts, progress } = await run(plan, { part: { index, of } });
    const { samples, isPartial, passes } = counts;
    const proportion = { value: 0, low: 0, high: 0 };
    parts.push([
      { type: 'evaluationStarted', evaluation: 7, plan, step: 0, samples },
      ...progress.map((one) => ({ type: 'attackProgress', evaluation: 7, ...one }) as const),
      { type: 'evaluationFinished', evaluation: 7, samples, clean: proportion, robust: proportion, passes, isPartial },
    ]);
  }
  return parts;
}
