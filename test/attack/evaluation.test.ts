// What an evaluation keeps, tells and takes up again, beside what its attack does.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { EvaluationsFold } from '../../server/attack/evaluationState.ts';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import type { KeptBatch } from '../../server/attack/keptImages.ts';
import type { Network } from '../../server/model/network.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { samples, withLinearTrial } from './linearTrial.ts';
import { attackPlan } from './plans.ts';
import { nSamples, run } from './runAttack.ts';
import { smallDataset, smallNetwork, smallShape } from './smallNetwork.ts';

beforeAll(openCpu);

const size = { samples: 100, batchSize: 6 } as const;

function predictionsOf(images: Float32Array): number[] {
  const network = smallNetwork();
  const pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null } as const;
  const found = tf.tidy(() => {
    const x = tf.tensor4d(images, [images.length / 108, ...smallShape]);
    return [...tf.argMax(network.forward(x, pass), 1).dataSync()];
  });
  network.dispose();
  return found;
}

describe('the images that an evaluation keeps', () => {
  it.each(['linf', 'l2'] as const)('under %s are the first, as they were and as they fooled', async (norm) => {
    const kept: KeptBatch[] = [];
    const plan = attackPlan('pgd', {
      ...size,
      norm,
      epsilon: norm === 'linf' ? 0.03 : 0.2,
      steps: 6,
      restarts: 2,
      keep: 7,
    });
    const { counts } = await run(plan, { onKept: (batch) => kept.push(batch) });
    expect(kept.map(({ first, total, outcomes }) => [first, total, outcomes.length])).toEqual([
      [0, 7, 6],
      [6, 7, 1],
    ]);
    const { values, labels } = await smallDataset(nSamples).test.read(Uint32Array.from({ length: 7 }, (_, row) => row));
    const join = (of: (batch: KeptBatch) => ArrayLike<number>) => kept.flatMap((batch) => Array.from(of(batch)));
    expect(join(({ clean }) => clean)).toEqual([...values.subarray(0, 7 * 108)].map(Math.fround));
    expect(join((batch) => batch.labels)).toEqual([...labels]);
    const outcomes = join((batch) => batch.outcomes);
    expect(outcomes).toEqual([...counts.outcomes.subarray(0, 7)]);
    expect(new Set(outcomes)).toEqual(new Set([1, 2]));
    const attacked = join((batch) => batch.attacked);
    expect(join(({ predictions }) => predictions)).toEqual(predictionsOf(Float32Array.from(attacked)));
    const distances = join((batch) => batch.distances);
    outcomes.forEach((outcome, row) => {
      const offset = attacked.slice(row * 108, (row + 1) * 108).map((value, i) => value - values[row * 108 + i]!);
      const length = norm === 'linf' ? Math.max(...offset.map(Math.abs)) : Math.hypot(...offset);
      expect(distances[row]).toBeCloseTo(length, 6);
      expect(length > 0).toBe(outcome === 1);
    });
    for (const { shape, classes } of kept) expect([shape, classes.length]).toEqual([[6, 6, 3], 5]);
  });

  it('are no more than there are, and none where nobody asks for them', async () => {
    const totals: number[] = [];
    const plan = attackPlan('fgsm', { ...size, epsilon: 0.03, keep: 100 });
    await run(plan, { onKept: ({ total, outcomes }) => totals.push(total, outcomes.length) });
    expect(totals).toEqual([17, 6, 17, 6, 17, 5]);
    await run(attackPlan('fgsm', { ...size, epsilon: 0.03, keep: 0 }), {
      onKept: () => expect.fail('nothing is kept'),
    });
  });
});

describe('an evaluation', () => {
  it('tells of long stages after each 1000 points, but not of the last, what stands counting on', async () => {
    const news = async (draws: number) => {
      const { progress } = await run(attackPlan('noise', { samples: 4, batchSize: 2, epsilon: 1e-6, draws }));
      return progress;
    };
    expect((await news(1000)).map(({ samples }) => samples)).toEqual([2, 4]);
    const told = await news(1001);
    expect(told.map(({ samples }) => samples)).toEqual([2, 2, 4, 4]);
    expect(told.map(({ robust }) => robust.at(-1))).toEqual([2, 2, 4, 4]);
  });

  it('counts what falls at the very point at which it tells of it from there on', async () => {
    let nLooks = 0;
    const network = smallNetwork({ onLook: () => nLooks++ });
    // The first look is at the images as they are; from the 1000th draw on, point 1000, all are taken for another class.
    const forward: Network['forward'] = (x, pass) => {
      const logits = network.forward(x, pass);
      return nLooks < 1 + 1000 ? logits : (tf.neg(logits) as tf.Tensor2D);
    };
    const plan = attackPlan('noise', { samples: 2, batchSize: 2, epsilon: 1e-6, draws: 1100 });
    const options = { seed: 9, signal: new AbortController().signal };
    const told: number[][] = [];
    for await (const { robust } of evaluateAttack({ ...network, forward }, smallDataset(nSamples), plan, options))
      told.push([...robust]);
    network.dispose();
    for (const counts of told) expect(counts.map((n) => n > 0).lastIndexOf(true)).toBe(999);
    expect(told).toHaveLength(2);
  });

  it('of one step has a point before it, at which all stand that are right', async () => {
    const { progress, counts } = await run(attackPlan('fgsm', { ...size, epsilon: 0.03 }));
    expect([...progress.at(-1)!.robust]).toEqual([counts.clean, counts.robust]);
    expect(counts.robust).toBeLessThan(counts.clean);
  });

  it('draws by the sum of the run’s seed and its own', async () => {
    const fooledBy = async (own: number, seed: number) => {
      const images: number[][] = [];
      const plan = attackPlan('pgd', { ...size, epsilon: 0.03, steps: 2, restarts: 1, seed: own });
      await run(plan, { seed, onFooled: ({ image }) => images.push([...image]) });
      return images;
    };
    expect(await fooledBy(1, 9)).toEqual(await fooledBy(0, 10));
    expect(await fooledBy(1, 9)).not.toEqual(await fooledBy(1, 8));
  });

  it('counts runs that have nothing to do as long as the others', async () => {
    const plan = attackPlan('apgd-t', { ...size, epsilon: 0.01, steps: 3, targets: 6 });
    const { progress, counts } = await run(plan);
    expect(counts.robust).toBeGreaterThan(0);
    expect([...progress.at(-1)!.robust]).toEqual([counts.robust, counts.robust, counts.robust, counts.robust]);
  });

  it('that is stopped before it takes up anything says what it had', async () => {
    const plan = attackPlan('pgd', { ...size, epsilon: 0.01, steps: 3, restarts: 1 });
    const fold = new EvaluationsFold();
    fold.hear({ type: 'evaluationStarted', evaluation: 1, plan, step: 0, samples: nSamples });
    const { progress } = await run(plan);
    for (const one of progress.slice(0, 2)) fold.hear({ type: 'attackProgress', evaluation: 1, ...one });
    const controller = new AbortController();
    controller.abort();
    const { counts } = await run(plan, { from: fold.all[0]!.state!, signal: controller.signal });
    expect(counts).toMatchObject({ samples: 12, isPartial: true, robust: progress[1]!.robust.at(-1) });
    expect(counts.robust).toBeLessThan(progress[1]!.robust[0]!);
  });
});

it('an image that an earlier attack fooled from farther off falls where it is fooled within ε', () => {
  withLinearTrial(({ trial, fooled }) => {
    trial.distances[0] = 0.3;
    trial.drop(Float32Array.from(samples.flat()), Float32Array.of(0, 9, 0, 9, 0, 0));
    expect([...trial.distances]).toEqual([0, Infinity]);
    expect([...trial.rows]).toEqual([1]);
    expect(fooled).toMatchObject([{ row: 0, prediction: 1, distance: null }]);
  });
});

describe('what records tell of evaluations', () => {
  const plan = attackPlan('pgd');
  const begin = (evaluation: number, more: object = {}) =>
    ({ type: 'evaluationStarted', evaluation, plan, step: 0, samples: 9, ...more }) as const;
  const told = (evaluation: number, restart: number, more: object = {}) =>
    ({ type: 'attackProgress', evaluation, restart, samples: 3, robust: Int32Array.of(restart), ...more }) as const;

  it('is whether they ended, and their state in the order of their stages, with nothing where nothing was said', () => {
    const fold = new EvaluationsFold();
    fold.hear(begin(1));
    expect(fold.all[0]).toMatchObject({ isDone: false, state: null });
    fold.hear(told(1, 2));
    fold.hear(told(1, 0));
    fold.hear(told(1, 1, { outcomes: Uint8Array.of(2, 1, 0) }));
    expect(fold.all[0]!.state).toMatchObject({
      ...{ samples: 3, clean: 0, passes: { forward: 0, backward: 0 } },
      ...{ robust: [Int32Array.of(0), Int32Array.of(1), Int32Array.of(2)] },
    });
    const finish = (evaluation: number, isPartial: boolean) =>
      ({
        ...{ type: 'evaluationFinished', evaluation, isPartial },
        ...{ step: 0, samples: 3, clean: 3, robust: 1 },
      }) as unknown as Parameters<EvaluationsFold['hear']>[0];
    fold.hear(finish(1, true));
    expect(fold.all[0]!.isDone).toBe(false);
    fold.hear(finish(1, false));
    expect(fold.all[0]!.isDone).toBe(true);
  });

  it('is forgotten where one begins anew, unless it goes on from there', () => {
    const fold = new EvaluationsFold();
    const outcomes = Uint8Array.of(2, 1, 0);
    fold.hear(begin(1));
    fold.hear(told(1, 1));
    fold.hear(begin(1));
    fold.hear(told(1, 0, { outcomes }));
    expect(fold.all[0]!.state!.robust).toEqual([Int32Array.of(0)]);
    fold.hear(begin(1, { from: 3 }));
    expect(fold.all[0]!.state).not.toBeNull();
    fold.hear(begin(1));
    expect(fold.all[0]!.state).toBeNull();
  });
});
