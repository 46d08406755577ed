// What runs came to beyond single figures, for a comparison of several: their attacks as far as they are curves, and the shift of their last
// look.
import { isDetectorPlan } from './evaluationPlan.ts';
import type { ResponsesRecord } from './records.ts';
import type { EvaluationView, RunSnapshot } from './snapshot.ts';

export interface RunOutcome {
  readonly runId: string;
  /** Why it can't be read; null otherwise. */
  readonly failure: string | null;
  /** In the order in which they began, without what only one run's own panel shows of them. */
  readonly evaluations: readonly EvaluationView[];
  readonly shift: ShiftOutcome | null;
}

export interface OutcomesResult {
  readonly runs: readonly RunOutcome[];
}

/** How far the attack of a test moves what each layer answers. */
export interface ShiftOutcome extends Pick<ResponsesRecord, 'step' | 'samples' | 'attack' | 'weights'> {
  readonly layers: readonly ShiftedLayer[];
}

export type ShiftedLayer = Pick<ResponsesRecord['layers'][number], 'layer' | ShiftMeasure>;

export type ShiftMeasure = 'relative' | 'l2' | 'ks' | 'thesis';

/** One attacked by hand has a few; of more the newest are compared. */
export const mostComparedEvaluations = 16;

export function outcomeOf(
  runId: string,
  { evaluations, responses }: Pick<RunSnapshot, 'evaluations' | 'responses'>,
): RunOutcome {
  const last = responses.at(-1);
  return {
    ...{ runId, failure: null },
    evaluations: evaluations
      .filter(({ started }) => !isDetectorPlan(started.plan))
      .slice(-mostComparedEvaluations)
      .map((view) => ({ ...view, thesis: [], layers: [], detections: [] })),
    shift: last
      ? {
          ...{ step: last.step, samples: last.samples, attack: last.attack },
          ...(last.weights && { weights: last.weights }),
          layers: last.layers.map(({ layer, relative, l2, ks, thesis }) => ({ layer, relative, l2, ks, thesis })),
        }
      : null,
  };
}
