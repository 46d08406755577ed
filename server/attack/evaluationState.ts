// How far an evaluation has come, as a fold over its records: after an interruption it goes on behind the last batch that was done.
import type { EvaluationPlan } from '../protocol/evaluationPlan.ts';
import type {
  AttackProgressRecord,
  EvaluationStartedRecord,
  RunRecord,
  SurrogateOrigin,
  ThesisCounts,
} from '../protocol/records.ts';
import type { Detection, Passes } from '../protocol/records.ts';

/** What the batches that are done left. */
export interface EvaluationState {
  readonly samples: number;
  readonly clean: number;
  readonly passes: Passes;
  /** By stage. */
  readonly robust: readonly Int32Array[];
  /** Of the images so far, where distances are measured. */
  readonly distances: Float32Array | null;
  /** By image, as the records have them. */
  readonly outcomes: Uint8Array;
  /** By stage; empty in the worst case alone. */
  readonly thesis: readonly ThesisCounts[];
  /** Of a detector, by attack; empty for others. */
  readonly detections: readonly Detection[];
}

export interface EvaluationSoFar {
  readonly number: number;
  readonly plan: EvaluationPlan;
  /** Of the weights attacked. */
  readonly step: number;
  /** Of the networks that images are made on. */
  readonly surrogates: readonly SurrogateOrigin[];
  readonly state: EvaluationState | null;
  /** Whether it ran to its end. */
  readonly isDone: boolean;
}

/** Hears the records of a run's evaluations; those of others pass by. */
export class EvaluationsFold {
  readonly #all = new Map<number, EvaluationSoFar>();
  readonly #stages = new Map<number, AttackProgressRecord>();

  /** In the order of their beginnings. */
  get all(): readonly EvaluationSoFar[] {
    return [...this.#all.values()];
  }

  hear(record: RunRecord): void {
    switch (record.type) {
      case 'evaluationStarted':
        this.#stages.clear();
        this.#begin(record);
        return;
      case 'attackProgress': {
        const known = this.#all.get(record.evaluation);
        if (!known) return;
        this.#stages.set(record.restart, record);
        if (record.outcomes) this.#all.set(known.number, { ...known, state: this.#after(record, known.state) });
        return;
      }
      case 'evaluationFinished': {
        const known = this.#all.get(record.evaluation);
        if (known) this.#all.set(known.number, { ...known, isDone: !record.isPartial });
        return;
      }
      default:
    }
  }

  #begin({ evaluation: number, plan, step, from, surrogates = [] }: EvaluationStartedRecord): void {
    const state = from === undefined ? null : (this.#all.get(number)?.state ?? null);
    this.#all.set(number, { number, plan, step, surrogates, state, isDone: false });
  }

  #after(last: AttackProgressRecord, before: EvaluationState | null): EvaluationState {
    const stages = [...this.#stages.entries()].toSorted(([a], [b]) => a - b).map(([, stage]) => stage);
    return {
      samples: last.samples,
      clean: last.clean ?? 0,
      passes: last.passes ?? { forward: 0, backward: 0 },
      robust: stages.map(({ robust }) => robust),
      distances: last.distances ?? null,
      outcomes: Uint8Array.of(...(before?.outcomes ?? []), ...last.outcomes!),
      thesis: stages.flatMap(({ thesis }) => thesis ?? []),
      detections: last.detections ?? [],
    };
  }
}
