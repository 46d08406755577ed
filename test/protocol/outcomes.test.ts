// What of a run goes to a comparison, and what stays with its own panel.
import { describe, expect, it } from 'vitest';
import type { LayerBound } from '../../server/protocol/evaluationRecords.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import { outcomeOf } from '../../server/protocol/outcomes.ts';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';
import type { ResponsesRecord } from '../../server/protocol/records.ts';
import type { EvaluationView } from '../../server/protocol/snapshot.ts';
import { attackPlan } from '../attack/plans.ts';

const pgd = attackPlan('pgd', { steps: 2, restarts: 1 });
const detector = completeEvaluation('density', {}, { trainedEpsilon: null, testSamples: 10 });
const certificate = completeEvaluation('smoothing', {}, { trainedEpsilon: null, testSamples: 10 });

function evaluated(evaluation: number, plan: EvaluationPlan = pgd): EvaluationView {
  return {
    started: { type: 'evaluationStarted', evaluation, plan, step: 9, samples: 10 },
    restarts: [{ samples: 10, robust: Int32Array.of(9, 8, 7) }],
    clean: { samples: 10, count: 9 },
    distances: Float32Array.of(0.5),
    thesis: [{ clean: 1 } as never],
    layers: [{ layer: 'dense' } as unknown as LayerBound],
    detections: [{ auc: 1 } as never],
    abstained: 2,
    finished: null,
  };
}

const outputs = { low: 0, high: 1, clean: Uint8Array.of(1), attacked: Uint8Array.of(2) };
const responses: ResponsesRecord = {
  ...{ type: 'responses', step: 5, samples: 32, attack: 'PGD-10 8/255' },
  layers: [{ layer: 'relu1', l2: 4, relative: 0.5, thesis: 16, ks: 0.25, outputs }],
};

function numbersOf(evaluations: EvaluationView[]): number[] {
  return outcomeOf('run', { evaluations, responses: [] }).evaluations.map(({ started }) => started.evaluation);
}

describe('the outcome of a run', () => {
  it('has its attacks and certificates as they are, but for what only its own panel shows', () => {
    const whole = evaluated(1);
    const { evaluations, ...rest } = outcomeOf('run', { evaluations: [whole], responses: [] });
    expect(rest).toEqual({ runId: 'run', failure: null, shift: null });
    expect(evaluations).toEqual([{ ...whole, thesis: [], layers: [], detections: [] }]);
    expect(numbersOf([evaluated(1), evaluated(2, detector), evaluated(3, certificate)])).toEqual([1, 3]);
  });

  it('has the sixteen newest of many, detectors not counted', () => {
    const sixteen = Array.from({ length: 16 }, (_, index) => evaluated(index + 1));
    expect(numbersOf(sixteen)).toHaveLength(16);
    expect(numbersOf([evaluated(0, detector), ...sixteen, evaluated(17), evaluated(18, detector)])).toEqual(
      Array.from({ length: 16 }, (_, index) => index + 2),
    );
  });

  it('has the shift of its last look, without the densities', () => {
    const later = { ...responses, step: 9, samples: 16, attack: 'FGSM 4/255', weights: 'average' as const };
    const layers = [{ layer: 'relu1', l2: 4, relative: 0.5, thesis: 16, ks: 0.25 }];
    const shiftOf = (looks: readonly ResponsesRecord[]) =>
      outcomeOf('run', { evaluations: [], responses: [...looks] }).shift;
    expect(shiftOf([responses])).toStrictEqual({ step: 5, samples: 32, attack: 'PGD-10 8/255', layers });
    expect(shiftOf([responses, responses, later])).toStrictEqual({
      ...{ step: 9, samples: 16, attack: 'FGSM 4/255', weights: 'average', layers },
    });
  });
});
