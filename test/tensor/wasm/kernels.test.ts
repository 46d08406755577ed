import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import {
  describeOnEveryBuild,
  exactly,
  expectLikeCpu,
  extremes,
  noise,
  runKernel,
  sizes,
  smooth,
  sumTolerance,
} from './builds.ts';

describeOnEveryBuild('elementwise kernels', () => {
  const operations = { add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div, maximum: tf.maximum, minimum: tf.minimum };

  it.each(Object.entries(operations))(
    '%s gives the same bits for every broadcast and order of its operands',
    async (_, op) => {
      for (const [rows, channels] of sizes) {
        for (const shape of [[rows, channels], [channels], [1, channels], [rows, 1], [1], []]) {
          await expectLikeCpu(() => {
            const a = noise([rows, channels], { scale: 3 });
            const b = noise(shape, { seed: 2 });
            return [op(a, b), op(b, a)];
          }, exactly);
        }
      }
    },
  );

  it('broadcasts one value over the middle axes, and leaves other broadcasts to tfjs', async () => {
    await expectLikeCpu(() => {
      const a = noise([3, 4, 5, 6]);
      const others = [
        [3, 1, 1, 6],
        [1, 4, 5, 1],
        [3, 1, 5, 1],
        [5, 6],
        [2, 3, 4, 5, 6],
      ];
      return others.map((shape) => tf.mul(a, noise(shape, { seed: 2 })));
    }, exactly);
  });

  it.each(Object.entries(operations))('%s treats NaN, infinities and zeros as tfjs does', async (_, op) => {
    await expectLikeCpu(() => {
      const a = tf.tensor1d(extremes);
      return [op(tf.reshape(a, [extremes.length, 1]), a), op(a, a), op(a, 2)];
    }, exactly);
  });

  it('gives the same bits for functions of one argument, NaN and infinities included', async () => {
    for (const length of [0, 1, 3, 4, 5, 1030]) {
      await expectLikeCpu(() => {
        const x = tf.concat([noise([length], { scale: 4 }), tf.tensor1d(extremes)]);
        return [
          ...[tf.relu(x), tf.square(x), tf.sqrt(x), tf.neg(x), tf.abs(x), tf.step(x, 0.25), tf.clipByValue(x, -1, 2)],
          tf.addN([x, tf.neg(x), tf.square(x)]),
        ];
      }, exactly);
    }
  });

  it('agrees where tfjs rounds only once', async () => {
    await expectLikeCpu(() => {
      const x = noise([103], { scale: 3 });
      return [tf.squaredDifference(x, noise([103], { seed: 2 })), tf.rsqrt(tf.abs(x))];
    }, smooth);
  });

  it('leaves integers to tfjs', async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor1d([-3, 4, 7], 'int32');
      return [tf.add(x, x), tf.mul(x, x), tf.abs(x), tf.sum(x), tf.max(x), tf.square(x), tf.relu(x)];
    }, exactly);
  });
});

describeOnEveryBuild('reductions', () => {
  it('agree over any axes', async () => {
    for (const shape of [[0, 3], [1], [7], [3, 5], [300, 7], [2, 3, 4, 5], [1030, 4]]) {
      const rank = shape.length;
      const subsets = Array.from({ length: 2 ** rank }, (_, bits) =>
        shape.map((__, axis) => axis).filter((axis) => (bits >> axis) & 1),
      );
      for (const axes of subsets) {
        await expectLikeCpu(() => {
          const x = noise(shape);
          return [tf.sum(x, axes), tf.sum(x, axes, true), tf.mean(x, axes)];
        }, sumTolerance(1030));
      }
    }
  });

  it('find the maximum exactly, and pass a NaN on', async () => {
    await expectLikeCpu(() => {
      const x = noise([9, 6, 5]);
      return [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]].map((axes) => tf.max(x, axes));
    }, exactly);
    await expectLikeCpu(() => [tf.max(tf.tensor2d([1, NaN, 3, 4, 5, -Infinity], [2, 3]), 1)], exactly);
  });

  it('count what is not finite and take norms in float64', async () => {
    await expectLikeCpu(
      () => runKernel('KafscopeNorms', [noise([0]), noise([1]), noise([1031]), tf.tensor1d(extremes)]),
      { absolute: 0, relative: 1e-6 },
    );
  });
});

describeOnEveryBuild('gathering', () => {
  it('takes rows in any order and number, and leaves other axes and types to tfjs', async () => {
    await expectLikeCpu(() => {
      const x = noise([5, 3, 7]);
      const rows = tf.tensor1d([4, 0, 0, 3, 2, 1, 4], 'int32');
      const none = tf.tensor1d([], 'int32');
      return [
        ...[tf.gather(x, rows), tf.gather(x, none), tf.gather(x, tf.tensor2d([1, 4], [2, 1], 'int32'))],
        ...[tf.gather(x, tf.scalar(3, 'int32')), tf.gather(noise([5]), rows), tf.gather(noise([5, 0]), rows)],
        ...[tf.gather(x, tf.tensor1d([2, 0], 'int32'), 1), tf.gather(x, tf.tensor2d([[0], [1]], [2, 1], 'int32'), 2)],
        tf.gather(tf.cast(tf.mul(x, 9), 'int32'), rows),
      ];
    }, exactly);
  });

  it('says which row is missing', () => {
    tf.tidy(() => {
      expect(() => tf.gather(noise([5, 2]), tf.tensor1d([5], 'int32'))).toThrow('the index value 5 is not in [0, 4]');
    });
  });
});

describeOnEveryBuild('copies of parts', () => {
  it('put tensors side by side along any axis, and take them apart', async () => {
    await expectLikeCpu(() => {
      const [a, b, c] = [noise([3, 4, 5]), noise([3, 2, 5], { seed: 2 }), noise([3, 4, 1], { seed: 3 })] as const;
      const integers = tf.cast(tf.mul(a, 9), 'int32');
      return [
        ...[tf.concat([a, b], 1), tf.concat([a, c, a], 2), tf.concat([a, a], 0), tf.concat([a, b, b], -2)],
        ...[tf.concat([noise([2, 0]), noise([2, 3])], 1), tf.concat([integers, integers], 0)],
        ...tf.split(a, [1, 3, 1], 2),
        ...[...tf.split(a, 2, 1), ...tf.split(a, [0, 3], 0), ...tf.split(integers, 5, 2)],
      ];
    }, exactly);
  });

  it('cut out and pad around one axis or two neighbouring ones, and leave others to tfjs', async () => {
    await expectLikeCpu(() => {
      const x = noise([2, 5, 4, 3]);
      const one = noise([3, 1, 1]);
      return [
        ...[tf.slice(x, [0, 1, 2, 0], [2, 3, 2, 3]), tf.slice(x, [1, 0, 0, 0], [1, 5, 4, 3]), tf.slice(x, 1)],
        ...[
          tf.slice(x, [0, 0, 0, 1], [2, 5, 4, 2]),
          tf.slice(x, [0, 0, 1, 1], [2, 5, 2, 2]),
          tf.slice(x, [0, 2], [-1, 2]),
        ],
        ...[
          tf.slice(x, [0, 1, 0, 1], [2, 2, 4, 1]),
          tf.slice(x, [1, 1, 1, 1], [1, 1, 1, 1]),
          tf.slice(one, [1, 0, 0], [2, 1, 1]),
        ],
        ...[
          tf.slice(noise([7]), 2, 3),
          tf.slice(x, [0, 0, 0, 0], [2, 0, 4, 3]),
          tf.slice(tf.cast(x, 'int32'), [0, 1], [1, 1]),
        ],
        tf.pad(x, [
          [0, 0],
          [1, 2],
          [0, 1],
          [0, 0],
        ]),
        tf.pad(
          x,
          [
            [0, 0],
            [0, 0],
            [0, 0],
            [2, 1],
          ],
          7,
        ),
        tf.pad(
          x,
          [
            [1, 0],
            [1, 0],
            [1, 0],
            [1, 0],
          ],
          -1,
        ),
        tf.pad(noise([3]), [[2, 0]]),
        ...[
          tf.slice(x, [0, 1, 0, 0], [2, 3, 1, 3]),
          tf.slice(x, [0, 0, 0, 0], [2, 5, 1, 1]),
          tf.slice(x, [0, 2, 0, 0], [1, 1, 1, 3]),
        ],
      ];
    }, exactly);
  });

  it('say that a part lies outside, as tfjs does', () => {
    tf.tidy(() => {
      expect(() => tf.slice(noise([5, 2]), [3, 0], [3, 2])).toThrow(
        'begin[0] + size[0] (6) would overflow input.shape[0] (5)',
      );
    });
  });
});
