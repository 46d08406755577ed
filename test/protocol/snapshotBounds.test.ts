// What a snapshot keeps of evaluations under way, and how much of what grows, to the value.
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import type { AttackProgressRecord, RunRecord } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { applyRow, emptySnapshot, maxSteps, type RunSnapshot } from '../../server/protocol/snapshot.ts';

function fold(records: readonly RunRecord[]): RunSnapshot {
  const snapshot = emptySnapshot({ id: 'r' } as RunSummary, {} as Plan);
  records.forEach((record, index) => {
    applyRow(snapshot, { seq: index + 1, timeMs: index, record });
  });
  return snapshot;
}

describe('an evaluation', () => {
  const started = (evaluation: number, from?: number) => {
    const told = { type: 'evaluationStarted', evaluation, step: 8, samples: 5, ...(from !== undefined && { from }) };
    return told as unknown as RunRecord;
  };
  const progress = (change: Partial<AttackProgressRecord>): RunRecord => ({
    ...{ type: 'attackProgress', evaluation: 1, restart: 0, samples: 3, robust: Int32Array.of(2, 1) },
    ...change,
  });

  it('has all that its progress tells, and keeps what later progress says nothing of', () => {
    const distances = Float32Array.of(0, 0.5, Infinity);
    const thesis = { right: Int32Array.of(2), fooled: Int32Array.of(1) };
    const layers = [{ layer: 'conv1', kind: 'convolution', bound: 2, product: 2 }];
    const detections = [{ against: 'PGD', clean: Float32Array.of(1), attacked: Float32Array.of(2) }];
    const [view] = fold([
      started(1),
      progress({ clean: 2, distances, thesis, layers, detections, outcomes: Uint8Array.of(0, 3, 3) }),
      progress({ restart: 1, samples: 5, robust: Int32Array.of(1, 1), outcomes: Uint8Array.of(3, 2) }),
    ]).evaluations;
    expect(view).toMatchObject({
      ...{ clean: { samples: 3, count: 2 }, distances, thesis: [thesis], layers, detections, abstained: 3 },
      ...{ finished: null, restarts: [{ samples: 3 }, { samples: 5, robust: Int32Array.of(1, 1) }] },
    });
  });

  it('that goes on is the same one, not finished any more; one whose beginning is gone begins', () => {
    const finished = { type: 'evaluationFinished', evaluation: 1, samples: 3 } as unknown as RunRecord;
    const { evaluations } = fold([started(1), progress({ clean: 2 }), finished, started(1, 3), started(2, 3)]);
    expect(evaluations).toMatchObject([
      { started: { evaluation: 1 }, clean: { samples: 3, count: 2 }, finished: null },
      { started: { evaluation: 2 }, clean: null, finished: null },
    ]);
    expect(evaluations[1]!.started).not.toHaveProperty('from');
    expect(fold([started(1), finished]).evaluations[0]!.finished).toBe(finished);
  });
});

describe('norms', () => {
  const norms = (step: number, nTensors = 1): RunRecord => ({
    ...{ type: 'norms', step, weights: new Float32Array(nTensors), gradients: new Float32Array(nTensors) },
    ...{ nonFiniteWeights: new Int32Array(nTensors), nonFiniteGradients: new Int32Array(nTensors) },
  });

  it('are completed by updates of the newest step, and of no other', () => {
    const updates = (step: number): RunRecord => ({
      ...{ type: 'updates', step, before: Float32Array.of(step), updates: Float32Array.of(-step) },
    });
    const none = new Float32Array();
    const { before, updates: moved } = fold([norms(2), norms(3), updates(3), norms(4), updates(5)]).norms;
    expect([before, moved]).toEqual([
      [none, Float32Array.of(3), none],
      [none, Float32Array.of(-3), none],
    ]);
  });

  it.each([
    [0, 16_000],
    [300, 53],
    [1000, 32],
  ])('of %i tensors are kept of %i steps', (nTensors, most) => {
    const steps = (count: number) =>
      fold(Array.from({ length: count }, (_, step) => norms(step, nTensors))).norms.step.length;
    expect(steps(most)).toBe(most);
    expect(steps(most + 1)).toBe(Math.floor((most + 1) / 2) + 1);
  });
});

it('of steps 4096 are kept', () => {
  expect(maxSteps).toBe(4096);
});

describe('what is kept up to a size', () => {
  const bytes = (count: number) => new Uint8Array(count);
  const ofTensors = (count: number) => ({ ranges: new Float32Array(), bins: bytes(count) });
  const records: Record<'shapes' | 'histograms' | 'responses', (step: number, count: number) => RunRecord> = {
    shapes: (step, count) => ({ type: 'shapes', step, alphas: [new Float32Array(count / 4)] }),
    histograms: (step, count) => ({ type: 'histograms', step, weights: ofTensors(count), gradients: ofTensors(0) }),
    responses: (step, count) =>
      ({ type: 'responses', step, samples: 1, attack: 'PGD', layers: [bytes(count)] }) as unknown as RunRecord,
  };

  it.each([
    ['shapes', 384, 16],
    ['histograms', 128, 16],
    ['responses', 128, 32],
  ] as const)('of %s is %i KiB to the byte, the first and the last in any case', (type, sizeKiB, ownBytes) => {
    const steps = (...sizes: readonly number[]) =>
      fold(sizes.map((size, step) => records[type](step, size)))[type].map(({ step }) => step);
    const room = sizeKiB * 1024 - 3 * ownBytes;
    expect(steps(800, 400, room - 1200)).toEqual([0, 1, 2]);
    expect(steps(800, 400, room - 1196)).toEqual([0, 2]);
    expect(steps(800, 400, room - 1596, 400)).toEqual([0, 2, 3]);
    expect(steps(room, room)).toEqual([0, 1]);
  });
});
