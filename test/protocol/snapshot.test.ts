import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../server/protocol/codec.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { Row, RunRecord } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import {
  applyRow,
  emptySnapshot,
  maxShapes,
  maxShapesBytes,
  maxSteps,
  type RunSnapshot,
} from '../../server/protocol/snapshot.ts';

const run = { id: 'r', name: 'test' } as RunSummary;
const plan = { version: 1, name: 'test' } as Plan;

function fold(records: readonly RunRecord[], start = emptySnapshot(run, plan)): RunSnapshot {
  records.forEach((record, index) => {
    applyRow(start, { seq: index + 1, timeMs: 1000 + index, record });
  });
  return start;
}

const number = fc.double({ noDefaultInfinity: false });
const stepRecord = fc.record({
  type: fc.constant('step' as const),
  step: fc.nat(),
  epoch: fc.nat(),
  loss: number,
  accuracy: number,
  learningRate: number,
});
const shapesRecord = fc.record({
  type: fc.constant('shapes' as const),
  step: fc.nat(),
  alphas: fc.array(fc.float32Array({ maxLength: 4 }), { maxLength: 2 }),
});
const histogramsRecord = fc.record({
  type: fc.constant('histograms' as const),
  step: fc.nat(),
  weights: fc.record({ ranges: fc.float32Array({ maxLength: 4 }), bins: fc.uint8Array({ maxLength: 4 }) }),
  gradients: fc.record({ ranges: fc.float32Array({ maxLength: 4 }), bins: fc.uint8Array({ maxLength: 4 }) }),
});
const testRecord = fc.record({
  type: fc.constant('test' as const),
  step: fc.nat(),
  epoch: fc.nat(),
  loss: number,
  accuracy: number,
  samples: fc.nat(),
  robustAccuracy: fc.option(number),
  robustSamples: fc.nat(),
});
const progressRecord = fc.record({
  type: fc.constant('attackProgress' as const),
  evaluation: fc.constant(1),
  restart: fc.nat(3),
  samples: fc.nat(),
  robust: fc.int32Array({ maxLength: 4 }),
});
const log = fc.array(fc.oneof(stepRecord, shapesRecord, histogramsRecord, testRecord, progressRecord), {
  maxLength: 60,
});

describe('snapshot', () => {
  it('a snapshot sent at any cursor and continued equals the replay of all rows', () => {
    fc.assert(
      fc.property(log, fc.nat(60), (records, cut) => {
        const sent: Row[] = records.map((record, index) => ({ seq: index + 1, timeMs: index, record }));
        const rows = decode(encode(sent)) as Row[]; // MessagePack has no −0
        const whole = emptySnapshot(run, plan);
        for (const row of rows) applyRow(whole, row);
        const early = emptySnapshot(run, plan);
        for (const row of rows.slice(0, cut)) applyRow(early, row);
        const received = decode(encode(early)) as RunSnapshot;
        for (const row of rows.slice(Math.max(0, cut - 3))) applyRow(received, row); // a replay that overlaps
        expect(received).toEqual(whole);
      }),
    );
  });

  it('keeps the first and the last shapes however many come', () => {
    const records = Array.from({ length: 5 * maxShapes }, (_, step): RunRecord => ({
      type: 'shapes',
      step,
      alphas: [],
    }));
    const { shapes } = fold(records);
    expect(shapes.length).toBeLessThanOrEqual(maxShapes);
    expect(shapes[0]?.step).toBe(0);
    expect(shapes.at(-1)?.step).toBe(5 * maxShapes - 1);
  });

  it('thins shapes only when there are more than fit: then every second one between the first and the last goes', () => {
    const shapes = (count: number) =>
      fold(Array.from({ length: count }, (_, step): RunRecord => ({ type: 'shapes', step, alphas: [] }))).shapes;
    const steps = (count: number) => shapes(count).map(({ step }) => step);
    expect(maxShapes).toBe(200);
    expect(steps(200)).toEqual(Array.from({ length: 200 }, (_, step) => step));
    expect(steps(201)).toEqual(Array.from({ length: 101 }, (_, index) => 2 * index));
    expect(steps(302).slice(-2)).toEqual([300, 301]);
  });

  it('keeps fewer shapes, histograms and responses of a large network, so that it stays small, and never less than the first and the last', () => {
    const tensors = (count: number) => ({ ranges: new Float32Array(2 * count), bins: new Uint8Array(32 * count) });
    const layer = { layer: 'kaf1', l2: 1, relative: 1, thesis: 1, ks: 0 };
    const spread = (count: number) => ({
      low: 0,
      high: 1,
      clean: new Uint8Array(count),
      attacked: new Uint8Array(count),
    });
    const at = (step: number): RunRecord[] => [
      { type: 'shapes', step, alphas: [new Float32Array(40_000)] },
      { type: 'histograms', step, weights: tensors(300), gradients: tensors(300) },
      {
        ...{ type: 'responses', step, samples: 32, attack: 'PGD-10 8/255' },
        layers: [{ ...layer, outputs: spread(64), inputs: spread(26 * 64) }],
      },
    ];
    const records = Array.from({ length: 2000 }, (_, step) => at(step)).flat();
    const { shapes, histograms, responses } = fold(records);
    for (const list of [shapes, histograms, responses]) {
      expect([list[0]!.step, list.at(-1)!.step]).toEqual([0, 1999]);
      expect(list.length).toBeGreaterThanOrEqual(2);
    }
    const size = (...lists: (keyof typeof maxShapesBytes)[]) =>
      lists.reduce((sum, key) => sum + maxShapesBytes[key], 0);
    expect(encode(shapes).length).toBeLessThan(1.2 * size('shapes'));
    expect(encode([histograms, responses]).length).toBeLessThan(1.2 * size('histograms', 'responses'));
  });

  it('has less than a megabyte of a long run of the thesis’s KAF-ResNet56, whatever it recorded', () => {
    const channels = [...Array<number>(19).fill(16), ...Array<number>(18).fill(32), ...Array<number>(18).fill(64)];
    const nTensors = 281;
    const floats = (count: number) => Float32Array.from({ length: count }, (_, at) => Math.sin(at));
    const bytes = (count: number) => Uint8Array.from({ length: count }, (_, at) => (at * 31) % 256);
    const tensors = { ranges: floats(2 * nTensors), bins: bytes(32 * nTensors) };
    const spread = (count: number) => ({ low: 0, high: 1, clean: bytes(count), attacked: bytes(count) });
    const figures = { l2: 1, relative: 1, thesis: 1, ks: 0 };
    const tested: RunRecord[] = [
      { type: 'shapes', step: 0, alphas: channels.map((count) => floats(20 * count)) },
      { type: 'histograms', step: 0, weights: tensors, gradients: tensors },
      {
        ...{ type: 'responses', step: 0, samples: 32, attack: 'PGD-10 8/255' },
        layers: channels.map((count, at) => ({
          ...{ layer: `kaf${String(at)}`, ...figures, outputs: spread(64), inputs: spread(26 * count) },
        })),
      },
    ];
    const stepped: RunRecord[] = [
      { type: 'step', step: 0, epoch: 1, loss: Math.E, accuracy: 1 / 3, learningRate: 0.1 / 3 },
      {
        ...{ type: 'norms', step: 0, weights: floats(nTensors), gradients: floats(nTensors) },
        ...{ nonFiniteWeights: new Int32Array(nTensors), nonFiniteGradients: new Int32Array(nTensors) },
      },
    ];
    const snapshot = emptySnapshot(run, plan);
    let seq = 0;
    for (let step = 1; step <= 20_000; step++) {
      for (const record of step % 300 === 0 ? [...stepped, ...tested] : stepped)
        applyRow(snapshot, { seq: ++seq, timeMs: 1e12 + 137 * step, record: { ...record, step } as RunRecord });
    }
    expect([snapshot.shapes[0]!.step, snapshot.shapes.at(-1)!.step]).toEqual([300, 19_800]);
    expect(encode(snapshot).length).toBeLessThan(1e6);
  });

  it('keeps every column of every record, each in its place', () => {
    const floats = (value: number) => Float32Array.of(value);
    const counts = (value: number) => Int32Array.of(value);
    const prepared: RunRecord = {
      ...({ type: 'prepared', parameters: [], activations: [] } as const),
      ...{ steps: 10, stepsPerEpoch: 5, epochs: 2 },
    };
    const norms = { type: 'norms', step: 2, weights: floats(3), gradients: floats(4) } as const;
    const test = { type: 'test', step: 5, epoch: 1, loss: 0.5, accuracy: 0.25, samples: 8 } as const;
    const finished = { type: 'evaluationFinished', evaluation: 1, samples: 4 } as unknown as RunRecord;
    const started = { type: 'evaluationStarted', evaluation: 1, samples: 4 } as unknown as RunRecord;
    const ofTensors = { ranges: floats(1), bins: Uint8Array.of(2) };
    const histograms = { type: 'histograms', step: 5, weights: ofTensors, gradients: ofTensors } as const;
    const responses = { type: 'responses', step: 5, samples: 2, attack: 'PGD-1 8/255', layers: [] } as const;
    const collapsed = { type: 'collapsed', step: 6, action: 'roll-back', to: 3, message: 'm' } as const;
    const folded = fold([
      prepared,
      { type: 'step', step: 1, epoch: 1, loss: 2, accuracy: 0.75, learningRate: 0.1 },
      { ...norms, nonFiniteWeights: counts(6), nonFiniteGradients: counts(7) },
      {
        type: 'updates',
        step: 2,
        before: floats(8),
        updates: floats(9),
        attack: { norms: floats(10), zeros: counts(0) },
      },
      { ...test, robustAccuracy: 0.125, robustSamples: 3 },
      { ...test, robustAccuracy: null, robustSamples: 0 },
      { type: 'shapes', step: 5, alphas: [] },
      histograms,
      responses,
      { type: 'watch', step: 6, samples: 32, of: 'validation', fgsm: 0.7, pgd: 0.1, cosine: 0.2 },
      collapsed,
      started,
      finished,
    ]);
    expect(folded).toEqual({
      ...{ run, plan, cursor: 13, prepared, divergence: null },
      steps: { seen: 1, every: 1, step: [1], timeMs: [1001], loss: [2], accuracy: [0.75], learningRate: [0.1] },
      norms: {
        ...{ seen: 1, every: 1, firstNonFinite: { step: 2, parameter: 0, of: 'gradient' } },
        ...{ step: [2], weights: [floats(3)], gradients: [floats(4)] },
        ...{ nonFiniteWeights: [counts(6)], nonFiniteGradients: [counts(7)] },
        ...{ before: [floats(8)], updates: [floats(9)], attack: [floats(10)] },
      },
      tests: {
        ...{ step: [5, 5], epoch: [1, 1], loss: [0.5, 0.5], accuracy: [0.25, 0.25], samples: [8, 8] },
        ...{ robustAccuracy: [0.125, Number.NaN], robustSamples: [3, 0] },
        ...{ auc: [Number.NaN, Number.NaN], validationLoss: [Number.NaN, Number.NaN] },
        validationAccuracy: [Number.NaN, Number.NaN],
        validationRobustAccuracy: [Number.NaN, Number.NaN],
      },
      watch: { step: [6], samples: [32], fgsm: [0.7], pgd: [0.1], cosine: [0.2] },
      collapses: [collapsed],
      shapes: [{ type: 'shapes', step: 5, alphas: [] }],
      histograms: [histograms],
      responses: [responses],
      evaluations: [
        {
          started,
          restarts: [],
          clean: null,
          distances: null,
          thesis: [],
          layers: [],
          detections: [],
          abstained: 0,
          finished,
        },
      ],
    });
  });

  it('keeps of many steps some that are as far apart as they can be, and always the newest', () => {
    const snapshot = emptySnapshot(run, plan);
    const nSteps = 3 * maxSteps + 7;
    for (let step = 0; step < nSteps; step++) {
      const record = { type: 'step', step, epoch: 1, loss: step / 2, accuracy: 0, learningRate: 1 } as const;
      applyRow(snapshot, { seq: step + 1, timeMs: step * 3, record });
      const { steps } = snapshot;
      expect(steps.step.length).toBeLessThanOrEqual(maxSteps);
      expect(steps.step.at(-1)).toBe(step);
    }
    const { step, timeMs, loss, every, seen } = snapshot.steps;
    expect([every, seen]).toEqual([4, nSteps]);
    const kept = Array.from({ length: Math.ceil(nSteps / 4) }, (_, index) => 4 * index);
    expect(step).toEqual([...kept, nSteps - 1]);
    expect(timeMs).toEqual(step.map((value) => value * 3));
    expect(loss).toEqual(step.map((value) => value / 2));
  });

  it('says where values were not finite first, also of norms that it no longer has', () => {
    const snapshot = emptySnapshot(run, plan);
    const norms = (step: number, weights: number[], gradients: number[]): RunRecord => ({
      ...{ type: 'norms', step, weights: new Float32Array(400), gradients: new Float32Array(400) },
      ...{ nonFiniteWeights: Int32Array.from(weights), nonFiniteGradients: Int32Array.from(gradients) },
    });
    for (let step = 1; step <= 999; step++) {
      const record = norms(step, [0, step === 700 ? 1 : 0, 2 * Number(step > 700)], [0, step === 501 ? 3 : 0, 0]);
      applyRow(snapshot, { seq: step, timeMs: step, record });
    }
    expect(snapshot.norms.step).not.toContain(500);
    expect(snapshot.norms.step.length).toBeLessThanOrEqual(60);
    expect(snapshot.norms.weights).toHaveLength(snapshot.norms.step.length);
    expect(snapshot.norms.firstNonFinite).toEqual({ step: 501, parameter: 1, of: 'gradient' });
    const both = fold([norms(1, [1, 1], [0, 0])]);
    expect(both.norms.firstNonFinite).toEqual({ step: 1, parameter: 0, of: 'weight' });
    expect(fold([norms(1, [0, 1], [1, 1])]).norms.firstNonFinite).toEqual({ step: 1, parameter: 1, of: 'gradient' });
  });

  it('keeps a loss that is not finite as it is', () => {
    const step = { type: 'step', step: 1, epoch: 1, accuracy: 0, learningRate: 1 } as const;
    expect(
      fold([
        { ...step, loss: Number.NaN },
        { ...step, loss: Infinity },
      ]).steps.loss,
    ).toEqual([Number.NaN, Infinity]);
  });

  it('a step after a divergence (a resumed run) clears it', () => {
    const diverged: RunRecord = { type: 'diverged', step: 3, quantity: 'conv1.kernel', message: 'm' };
    expect(fold([diverged]).divergence).toEqual({ step: 3, quantity: 'conv1.kernel', message: 'm' });
    const step: RunRecord = { type: 'step', step: 3, epoch: 1, loss: 1, accuracy: 0, learningRate: 1 };
    expect(fold([diverged, step]).divergence).toBeNull();
  });

  it('progress of an evaluation goes to the one of its number, by restart', () => {
    const started = { type: 'evaluationStarted', step: 8, samples: 4, plan: {} } as unknown as RunRecord;
    const { evaluations } = fold([
      { ...started, evaluation: 1 } as RunRecord,
      { ...started, evaluation: 2 } as RunRecord,
      { type: 'attackProgress', evaluation: 1, restart: 0, samples: 2, robust: new Int32Array([2, 1]) },
      { type: 'attackProgress', evaluation: 1, restart: 0, samples: 4, robust: new Int32Array([3, 1]) },
    ]);
    expect(evaluations.map((view) => view.restarts.length)).toEqual([1, 0]);
    expect(evaluations[0]?.restarts[0]).toEqual({ samples: 4, robust: new Int32Array([3, 1]) });
  });
});
