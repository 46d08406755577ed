// The summary of a run as its rows come in.
import { describe, expect, it } from 'vitest';
import { testAttack } from '../../server/protocol/attackFigures.ts';
import type { EvaluationPlan } from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationStartedRecord, RunRecord } from '../../server/protocol/records.ts';
import { SummaryFold } from '../../server/run/summaryFold.ts';
import { attackPlan } from '../attack/plans.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun } from './scriptedRun.ts';

const plan = scriptedPlan('steps');

function step(number: number): RunRecord {
  return { type: 'step', step: number, epoch: 1, loss: 1, accuracy: 0.5, learningRate: 0.1 };
}

describe('the summary', () => {
  it('knows the length of the work before the trainer has said it', () => {
    expect(createScriptedRun(plan)).toMatchObject({ step: 0, steps: 12, epochs: 3 });
  });

  it('says once that training has collapsed, by a finding, and nothing of a look that found it well', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    const prepared = { parameters: [], activations: [], steps: 12, stepsPerEpoch: 4, epochs: 3 };
    fold.apply({ seq: 1, timeMs: 0, record: { type: 'prepared', ...prepared } });
    const look = { type: 'watch', step: 5, samples: 32, of: 'training', fgsm: 0.4, pgd: 0.3, cosine: 0.6 } as const;
    fold.apply({ seq: 1, timeMs: 0, record: look });
    expect(fold.summary.health).toBeUndefined();
    const message = '40 % withstand one step.';
    fold.apply({ seq: 2, timeMs: 1, record: { type: 'collapsed', step: 5, action: 'tell', to: null, message } });
    fold.apply({ seq: 3, timeMs: 2, record: { type: 'collapsed', step: 9, action: 'tell', to: null, message } });
    expect(fold.summary.health).toEqual([{ rule: 'collapsed', step: 5, evidence: message }]);
    expect(fold.summary.message).toBeNull();
  });

  it('counts images a second over the steps of the last ten seconds, or over the last eight where those took longer', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    const speedAfter = (number: number, timeMs: number) => {
      fold.apply({ seq: number, timeMs, record: step(number) });
      return fold.summary.imagesPerSecond;
    };
    expect(speedAfter(1, 0)).toBeNull();
    expect(speedAfter(2, 100)).toBe(100); // ten images in a tenth of a second
    for (let number = 3; number <= 200; number++) speedAfter(number, (number - 1) * 100);
    expect(fold.summary.imagesPerSecond).toBeCloseTo(100, 9);
    // Eight steps at twenty seconds each push the fast ones out.
    let speed: number | null = null;
    for (let slow = 1; slow <= 8; slow++) speed = speedAfter(200 + slow, 19_900 + slow * 20_000);
    expect(speed).toBeCloseTo(0.5, 9);
  });

  it('counts them exactly, where steps become slower', () => {
    const speeds = (steps: number, gapMs: number) => {
      const fold = new SummaryFold(createScriptedRun(plan), plan);
      let timeMs = 0;
      for (let number = 1; number <= 200; number++)
        fold.apply({ seq: number, timeMs: (timeMs += 100), record: step(number) });
      for (let slow = 1; slow <= steps; slow++)
        fold.apply({ seq: 200 + slow, timeMs: (timeMs += gapMs), record: step(200) });
      return fold.summary.imagesPerSecond;
    };
    // Of the last ten seconds five fast steps and nineteen slow ones.
    expect(speeds(19, 500)).toBeCloseTo(24, 9);
    for (let slow = 1; slow <= 8; slow++)
      expect(speeds(slow, 20_000)).toBeCloseTo(80_000 / (slow * 20_000 + (8 - slow) * 100), 9);
  });

  it('keeps one checkpoint of a name, in order of their steps', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    const saved = (at: number, epoch: number) => {
      fold.apply({
        seq: at,
        timeMs: at,
        record: { type: 'checkpointed', step: at, epoch, file: `step-${at}.safetensors` },
      });
    };
    for (const [at, epoch] of [
      [8, 2],
      [4, 1],
      [12, 3],
      [8, 5],
    ] as const)
      saved(at, epoch);
    expect(fold.summary.checkpoints.map(({ step: at, epoch }) => [at, epoch])).toEqual([
      [4, 1],
      [8, 5],
      [12, 3],
    ]);
  });

  it('takes no test for slowness', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    const record = {
      type: 'test',
      step: 2,
      epoch: 1,
      loss: 1,
      accuracy: 1,
      samples: 1,
      robustAccuracy: null,
      robustSamples: 0,
    } as const;
    fold.apply({ seq: 1, timeMs: 0, record: step(1) });
    fold.apply({ seq: 2, timeMs: 100, record: step(2) });
    fold.apply({ seq: 3, timeMs: 50_000, record });
    fold.apply({ seq: 4, timeMs: 50_000, record: step(3) });
    fold.apply({ seq: 5, timeMs: 50_200, record: step(4) });
    expect(fold.summary.imagesPerSecond).toBe(50);
  });

  it('is told once there is a time between two steps, be it a millisecond', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    for (const timeMs of [5, 5]) fold.apply({ seq: 1, timeMs, record: step(1) });
    expect(fold.summary.imagesPerSecond).toBeNull();
    fold.forgetSpeed();
    for (const timeMs of [5, 6]) fold.apply({ seq: 1, timeMs, record: step(1) });
    expect(fold.summary.imagesPerSecond).toBe(10_000);
  });

  it('takes no rest for slowness', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    fold.apply({ seq: 1, timeMs: 0, record: step(1) });
    fold.apply({ seq: 2, timeMs: 100, record: step(2) });
    fold.forgetSpeed();
    fold.apply({ seq: 3, timeMs: 1_000_000, record: step(3) });
    expect(fold.summary.imagesPerSecond).toBe(100);
    fold.apply({ seq: 4, timeMs: 1_000_200, record: step(4) });
    expect(fold.summary.imagesPerSecond).toBe(50);
  });

  it('says which figures are of averaged weights, and of which weights an evaluation is under way', () => {
    const pgd = attackPlan('pgd', { samples: 10 });
    const own = { ...plan, evaluation: [pgd] };
    const fold = new SummaryFold(createScriptedRun(own), own);
    let seq = 0;
    const hear = (record: RunRecord) => {
      fold.apply({ seq: ++seq, timeMs: seq, record });
    };
    const half = { value: 0.5, low: 0, high: 1 };
    const attack = (of: Partial<EvaluationStartedRecord>) => {
      hear({ type: 'evaluationStarted', evaluation: 1, plan: pgd, step: 4, samples: 10, ...of });
      expect(fold.summary.attackUnderWay?.weights).toBe(of.weights);
      hear({ type: 'evaluationFinished', evaluation: 1, samples: 10, clean: half, robust: half, isPartial: false });
    };
    attack({ weights: 'average' });
    expect(fold.summary).toMatchObject({ cleanWeights: 'average', figures: [{ weights: 'average' }] });
    attack({ plan: attackPlan('pgd', { samples: 10, weights: 'raw' }) });
    expect(fold.summary).toMatchObject({ cleanWeights: 'average', figures: [{ weights: 'average' }, {}] });
    expect(fold.summary.figures![1]).not.toHaveProperty('weights');
    const tested = { type: 'test', step: 4, epoch: 1, loss: 1, accuracy: 0.5, samples: 10, robustSamples: 4 } as const;
    hear({ ...tested, robustAccuracy: 0.25, weights: 'average' });
    expect(fold.summary.figures!.find(({ isOfTest }) => isOfTest)).toMatchObject({ weights: 'average' });
    hear({ ...tested, robustAccuracy: 0.25 });
    expect(fold.summary.cleanWeights).toBeUndefined();
    expect(fold.summary.figures!.find(({ isOfTest }) => isOfTest)).not.toHaveProperty('weights');
  });

  it('takes its clean accuracy from the last test, and keeps a figure of each attack, the run’s own in front', () => {
    const pgd = attackPlan('pgd', { samples: 10 });
    const fgsm = attackPlan('fgsm', { samples: 10 });
    const own = { ...plan, evaluation: [pgd] };
    const fold = new SummaryFold(createScriptedRun(own), own);
    let seq = 0;
    const hear = (record: RunRecord) => {
      fold.apply({ seq: ++seq, timeMs: seq, record });
    };
    const tested = { type: 'test', step: 4, epoch: 1, loss: 1, accuracy: 0.5, samples: 10, robustSamples: 4 } as const;
    hear({ ...tested, robustAccuracy: 0.25 });
    expect(fold.summary).toMatchObject({
      ...{ cleanAccuracy: 0.5, robustAccuracy: 0.25 },
      figures: [{ plan: { attack: 'pgd', steps: 1, restarts: 1 }, samples: 4, standing: 1, step: 4, isOfTest: true }],
    });
    const attack = (evaluation: EvaluationPlan, standing: number, { thesis }: { thesis?: number } = {}) => {
      const proportion = (count: number) => ({ value: count / 10, low: 0, high: 1 });
      hear({ type: 'evaluationStarted', evaluation: 1, plan: evaluation, step: 4, samples: 10 });
      expect(fold.summary.attackUnderWay).toEqual({ plan: evaluation, step: 4 });
      const figures = { samples: 10, clean: proportion(7), robust: proportion(standing) };
      const ofThesis = thesis === undefined ? {} : { thesis: proportion(thesis) };
      hear({ type: 'evaluationFinished', evaluation: 1, ...figures, ...ofThesis, isPartial: false });
      expect(fold.summary.attackUnderWay).toBeUndefined();
    };
    attack(pgd, 0, { thesis: 3 });
    expect(fold.summary).toMatchObject({ cleanAccuracy: 0.5, robustAccuracy: 0 });
    attack(fgsm, 6);
    hear({ ...tested, accuracy: 0.6, robustAccuracy: 0.5 });
    hear({ ...tested, accuracy: 0.6, robustAccuracy: null });
    expect(fold.summary).toMatchObject({ cleanAccuracy: 0.6, robustAccuracy: 0 });
    expect(fold.summary.figures).toEqual([
      { plan: pgd, step: 4, samples: 10, standing: 0, clean: 7, thesis: 3 },
      { plan: testAttack(own, { samples: 4 }), step: 4, samples: 4, standing: 2, isOfTest: true },
      { plan: fgsm, step: 4, samples: 10, standing: 6, clean: 7 },
    ]);
  });

  it('takes its clean accuracy from an evaluation where nothing was tested; of an attack begun under an older version the value alone', () => {
    const fold = new SummaryFold(createScriptedRun(plan), plan);
    const proportion = (value: number) => ({ value, low: value, high: value });
    const finished = { type: 'evaluationFinished', evaluation: 1, samples: 10, isPartial: false } as const;
    fold.apply({ seq: 1, timeMs: 1, record: { ...finished, clean: proportion(0.75), robust: proportion(0.1) } });
    expect(fold.summary).toMatchObject({ cleanAccuracy: 0.75, robustAccuracy: 0.1 });
    expect(fold.summary.figures).toBeUndefined();
  });

  it('keeps its accuracies when an evaluation was stopped before any image had passed', () => {
    const fold = new SummaryFold({ ...createScriptedRun(plan), cleanAccuracy: 0.5, robustAccuracy: 0.25 }, plan);
    const nothing = { value: Number.NaN, low: 0, high: 1 };
    const finished = { type: 'evaluationFinished', evaluation: 1, samples: 0, isPartial: true } as const;
    fold.apply({ seq: 1, timeMs: 1, record: { ...finished, clean: nothing, robust: nothing } });
    expect(fold.summary).toMatchObject({ cleanAccuracy: 0.5, robustAccuracy: 0.25 });
  });
});
