// What the runs that are compared came to: four attacks of each but the last, and the shifts of their layers.
import { outcomeOf, type RunOutcome } from '../../../server/protocol/outcomes.ts';
import type { RunRecord } from '../../../server/protocol/records.ts';
import { applyRow, emptySnapshot } from '../../../server/protocol/snapshot.ts';
import { attackPlan } from '../../attack/plans.ts';
import { comparedRuns } from './compareData.ts';
import { makeRandom } from './random.ts';
import { makePlan, makeSnapshot, makeSummary } from './runData.ts';
import { pushAttack } from './runEvaluations.ts';

const plans = [
  attackPlan('autoattack'),
  attackPlan('pgd', { epsilons: [2, 4, 8, 12, 16].map((epsilon) => epsilon / 255) }),
  attackPlan('pgd', { restarts: 1 }),
  attackPlan('cw', { norm: 'l2', epsilon: 0.5 }),
];

/** Of a test. */
const look = makeSnapshot({ steps: 391, status: 'finished' }).responses.at(-1)!;

export function makeOutcomes(runIds: readonly string[]): RunOutcome[] {
  const places = comparedRuns('busy').map(({ run }) => run.id);
  return runIds.map((runId) => outcomeAt(runId, places.indexOf(runId)));
}

function outcomeAt(runId: string, place: number): RunOutcome {
  const snapshot = emptySnapshot(makeSummary({ steps: 10, status: 'finished' }), makePlan('kaf'));
  const random = makeRandom(17 + place);
  const push = (record: RunRecord): void => {
    applyRow(snapshot, { seq: snapshot.cursor + 1, timeMs: 0, record: weakened(record, 0.82 + 0.02 * place) });
  };
  const isLast = place === comparedRuns('busy').length - 1;
  for (const [index, plan] of (isLast ? plans.slice(0, 1) : plans).entries())
    pushAttack(push, 20_000, index + 1, plan, random);
  const by = 1 + place / 9;
  const layers = look.layers.map((layer) => ({
    ...layer,
    ...{ relative: by * layer.relative, l2: by * layer.l2, ks: by * layer.ks, thesis: by ** 2 * layer.thesis },
  }));
  push({ ...look, step: 20_000, layers });
  return outcomeOf(runId, snapshot);
}

/** By so much fewer stand. */
function weakened(record: RunRecord, by: number): RunRecord {
  if (record.type === 'attackProgress')
    return {
      ...record,
      robust: record.robust.map((count) => Math.round(by * count)),
      ...(record.distances && { distances: record.distances.map((distance) => by * distance) }),
    };
  if (record.type !== 'evaluationFinished') return record;
  const { value, low, high } = record.robust;
  return { ...record, robust: { value: by * value, low: by * low, high: by * high } };
}
