// How the records of an attack's parts make those of the whole: the worst case is each image's own and batches stay whole, so counts add up
// to what one pass over all images gives, bit for bit.
import type { RunRecord, ThesisCounts } from '../protocol/records.ts';
import type { Progress } from './evaluation.ts';
import { EvaluationsFold, type EvaluationState } from './evaluationState.ts';

export interface Merged {
  /** As one pass over all images yields them. */
  readonly progress: readonly Progress[];
  /** What they leave. */
  readonly state: EvaluationState;
}

/**
 * One evaluation of its parts. @param parts of each the records of that evaluation alone, from its beginning, in the order of the images
 * @returns null where one has not come to its end
 */
export function mergeParts(parts: readonly (readonly RunRecord[])[]): Merged | null {
  const whole = new EvaluationsFold();
  const progress: Progress[] = [];
  for (const records of parts) {
    const before = whole.all[0]?.state ?? null;
    const [started] = records;
    const finished = records.at(-1);
    if (started?.type !== 'evaluationStarted' || finished?.type !== 'evaluationFinished' || finished.isPartial)
      return null;
    if (whole.all.length === 0) whole.hear({ ...started, evaluation: 1 });
    for (const told of wholeBatches(records)) {
      const added = before ? behind(before, told) : told;
      progress.push(added);
      whole.hear({ type: 'attackProgress', evaluation: 1, ...added });
    }
  }
  const state = whole.all[0]?.state;
  return state ? { progress, state } : null;
}

/** Without what was told of a batch before it was cut off: it was attacked anew. */
function wholeBatches(records: readonly RunRecord[]): Progress[] {
  const told: Progress[] = [];
  let nDone = 0;
  for (const record of records) {
    if (record.type === 'evaluationStarted') told.length = nDone;
    if (record.type !== 'attackProgress') continue;
    const { type: _type, evaluation: _evaluation, ...progress } = record;
    told.push(progress);
    if (progress.outcomes) nDone = told.length;
  }
  return told;
}

/** What was counted behind other images, with theirs. */
function behind(
  before: EvaluationState,
  { robust, clean = 0, passes, distances, thesis, ...told }: Progress,
): Progress {
  const { forward, backward } = before.passes;
  return {
    ...told,
    samples: before.samples + told.samples,
    clean: before.clean + clean,
    robust: sums(before.robust[told.restart]!, robust),
    ...(passes && { passes: { forward: forward + passes.forward, backward: backward + passes.backward } }),
    ...(distances && { distances: Float32Array.of(...(before.distances ?? []), ...distances) }),
    ...(thesis && { thesis: thesisSums(before.thesis[told.restart]!, thesis) }),
  };
}

function thesisSums(a: ThesisCounts, b: ThesisCounts): ThesisCounts {
  return { right: sums(a.right, b.right), fooled: sums(a.fooled, b.fooled) };
}

function sums(a: Int32Array, b: Int32Array): Int32Array {
  return a.map((count, point) => count + b[point]!);
}
