import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { adamUpdate, decay, moveStatistic, sgdUpdate } from '../../../server/tensor/ops/optimizer.ts';
import { clearHalted, haltAtNonFinite, makeHalted, overwrite, type Halted } from '../../../server/tensor/ops/step.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, scatter, withoutTrace } from './contract.ts';

const at = { step: 3, learningRate: 0.1 };

/** What changes its variables in place; the second and third variable are there where it wants them. */
const updates: Readonly<Record<string, (variables: readonly tf.Variable[], halted: Halted | null) => void>> = {
  sgd: ([parameter], halted) =>
    sgdUpdate({
      parameter: parameter!,
      gradient: tf.ones([5]),
      velocity: null,
      at,
      momentum: 0,
      weightDecay: 1,
      halted,
    }),
  'sgd with momentum': ([parameter, velocity], halted) =>
    sgdUpdate({
      ...{ parameter: parameter!, gradient: tf.ones([5]), velocity: velocity! },
      ...{ at, momentum: 0.9, weightDecay: 0, halted },
    }),
  adam: ([parameter, firstMoment, secondMoment], halted) =>
    adamUpdate({
      ...{ parameter: parameter!, gradient: tf.ones([5]), firstMoment: firstMoment!, secondMoment: secondMoment! },
      ...{ at, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, halted },
    }),
  decay: ([parameter], halted) => decay({ parameter: parameter!, at, weightDecay: 0.5, halted }),
  'a statistic': ([statistic], halted) =>
    moveStatistic({ statistic: statistic!, batch: tf.ones([5]), scale: 2, at, maxMomentum: 0.99, lag: 9, halted }),
  overwrite: ([target], halted) => overwrite(target!, tf.ones([5]), halted),
};

const starts = [scatter(5, 2), scatter(5, 1, 1), scatter(5, 1, 2).map(Math.abs)];

/** The variables' values after an update; `flag` null for none. */
function after(update: (typeof updates)[string], flag: number | null): readonly Float32Array[] {
  return withoutTrace([], () => {
    const variables = starts.map((start) => tf.variable(tf.tensor(start.slice())));
    const ids = variables.map(({ dataId }) => dataId);
    const halted = makeHalted();
    if (flag !== null) halted.assign(tf.tensor1d([flag], 'int32'));
    update(variables, flag === null ? null : halted);
    expect(variables.map(({ dataId }) => dataId)).toEqual(ids);
    const values = variables.map((variable) => variable.dataSync<'float32'>().slice());
    tf.dispose([...variables, halted]);
    return values;
  });
}

describeOnEveryRuntime('an update', () => {
  it.each(Object.entries(updates))(
    'changes no bit while the flag is set, and is itself while it is not: %s',
    (_, update) => {
      expect(after(update, 2)).toEqual(starts);
      const plain = after(update, null);
      expect(plain).not.toEqual(starts);
      expect(after(update, 0)).toEqual(plain);
    },
  );

  it('of decay multiplies, of a statistic moves by the step, of overwrite gives a copy', () => {
    const near = { absolute: 0, relative: 2e-7 };
    expectClose(
      after(updates['decay']!, null)[0]!,
      starts[0]!.map((value) => value * 0.95),
      near,
    );
    const momentum = 2 / 12;
    const moved = starts[0]!.map((value) => value * momentum + 2 * (1 - momentum));
    expectClose(after(updates['a statistic']!, null)[0]!, moved, { absolute: 2e-7, relative: 2e-7 });
    expect(after(updates['overwrite']!, null)[0]).toEqual(Float32Array.of(1, 1, 1, 1, 1));
  });

  it('overwritten by a tensor does not share it', () => {
    withoutTrace([], () => {
      const target = tf.variable(tf.zeros([2]));
      const source = tf.variable(tf.tensor1d([1, NaN]));
      overwrite(target, source);
      overwrite(source, tf.zeros([2]));
      expect([...target.dataSync()]).toEqual([1, NaN]);
      tf.dispose([target, source]);
    });
  });

  it('names a wrong shape', () => {
    tf.tidy(() => {
      const target = tf.variable(tf.zeros([2]));
      const statistic = { statistic: target, scale: 1, at, maxMomentum: 0.99, lag: 9 };
      expect(() => overwrite(target, tf.zeros([3]))).toThrow(
        new RangeError('overwrite: expected source of shape [2], got [3]'),
      );
      expect(() => moveStatistic({ ...statistic, batch: tf.zeros([1]) })).toThrow(
        new RangeError('moveStatistic: expected batch of shape [2], got [1]'),
      );
      target.dispose();
    });
  });
});

describeOnEveryRuntime('the flag', () => {
  it('is the first step with a count that is not 0, until it is cleared', () => {
    withoutTrace([], () => {
      const halted = makeHalted();
      const seen: number[] = [];
      const count = (step: number, ...counts: number[]) => {
        haltAtNonFinite(halted, tf.tensor1d(counts, 'int32'), { step });
        seen.push(halted.dataSync()[0]!);
      };
      count(1, 0, 0, 0);
      count(2, 0, 0, 3);
      count(3, 1, 0, 0);
      count(4, 0);
      clearHalted(halted);
      count(5, 0);
      count(6, 1);
      expect(seen).toEqual([0, 2, 2, 2, 0, 6]);
      halted.dispose();
    });
  });

  it('names a wrong dtype', () => {
    tf.tidy(() => {
      const halted = makeHalted();
      expect(() => haltAtNonFinite(halted, tf.zeros([2]), at)).toThrow(
        new TypeError('haltAtNonFinite: expected nonFinite of dtype int32, got float32'),
      );
      halted.dispose();
    });
  });
});
