// An evaluation on the small network, from its beginning to its end.
import { evaluateAttack, type EvaluationCounts, type Progress } from '../../server/attack/evaluation.ts';
import type { EvaluationState } from '../../server/attack/evaluationState.ts';
import type { OnFooled } from '../../server/attack/trial.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { smallDataset, smallNetwork, type SmallNetworkOptions } from './smallNetwork.ts';

/** Of these two are wrong as they are. */
export const nSamples = 17;

interface RunOptions extends SmallNetworkOptions {
  readonly onFooled?: OnFooled;
  readonly from?: EvaluationState;
  readonly signal?: AbortSignal;
  readonly onProgress?: () => void;
  /** How far the network that `transfer` makes its images on is from the one attacked. */
  readonly surrogateOffset?: number;
}

export async function run(
  plan: AttackPlan,
  {
    onFooled,
    from,
    signal = new AbortController().signal,
    onProgress,
    surrogateOffset = 0.2,
    ...options
  }: RunOptions = {},
): Promise<{ counts: EvaluationCounts; progress: Progress[] }> {
  const network = smallNetwork(options);
  const surrogate = plan.attack === 'transfer' ? smallNetwork({ ...options, offset: surrogateOffset }) : undefined;
  const attack = evaluateAttack(network, smallDataset(nSamples), plan, { seed: 9, signal, from, onFooled, surrogate });
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
