import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { activationFunction, type ActivationFunction } from '../../../server/formula/activationFunction.ts';
import { activations, type ActivationKey, type ActivationName } from '../../../server/formula/activations.ts';
import { describeOnEveryBuild, exactly, expectLikeCpu, noise, runKernel, sumTolerance } from './builds.ts';

/** Rows and channels: empty, one, lanes ± 1, and more rows than a block. */
const sizes = [
  [0, 3],
  [1, 1],
  [3, 4],
  [5, 3],
  [9, 5],
  [300, 7],
  [1030, 32],
] as const;

/** Polynomials in place of exp: a few units in the last place of values up to 1. */
const smooth = { absolute: 1e-6, relative: 2e-6 };

const extremes = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40, 3e38, -3e38, 100, -100, 0.5, -0.5];

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

describeOnEveryBuild('fused kernels', () => {
  const key = { seed: 4_000_000_001, stream: 3_000_000_000, counter: 77 };

  it('draw the same bits as the TypeScript generator', async () => {
    for (const length of [0, 1, 3, 4, 15, 16, 17, 1030]) {
      await expectLikeCpu(
        () => [
          ...runKernel('KafscopeUniform', {}, { shape: [length], low: -0.3, high: 1.7, key }),
          ...runKernel('KafscopeDropout', { x: noise([length]) }, { rate: 0.3, key }),
          ...runKernel('KafscopeDropout', { x: noise([length]) }, { rate: 0, key }),
        ],
        exactly,
      );
    }
  });

  it('crop and mirror to the same bits', async () => {
    for (const [height, width, channels] of [
      [1, 1, 1],
      [4, 5, 3],
      [8, 7, 4],
    ] as const) {
      for (const [pad, flip] of [
        [0, true],
        [2, false],
        [2, true],
        [9, true],
      ] as const) {
        for (const count of [0, 1, 3, 4, 5, 130]) {
          await expectLikeCpu(
            () =>
              runKernel('KafscopeCropAndFlip', { images: noise([count, height, width, channels]) }, { pad, flip, key }),
            exactly,
          );
        }
      }
    }
  });

  it('count the same elements in the same bins', async () => {
    for (const length of [0, 1, 3, 5, 1030]) {
      for (const [low, high, nBins] of [
        [-1, 1, 10],
        [-0.3, 0.7, 300],
        [5, 6, 1],
      ] as const) {
        await expectLikeCpu(
          () =>
            runKernel(
              'KafscopeHistogram',
              { x: tf.concat([noise([length]), tf.tensor1d(extremes)]) },
              { low, high, nBins },
            ),
          exactly,
        );
      }
    }
  });

  it('drop a NaN and an infinity to 0', async () => {
    await expectLikeCpu(
      () => runKernel('KafscopeDropout', { x: tf.tensor1d([...extremes, ...extremes]) }, { rate: 0.5, key }),
      exactly,
    );
  });

  it('step, project and clamp to the same bits', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(() => {
        const clean = tf.abs(noise([rows, channels]));
        const x = tf.add(clean, noise([rows, channels], { seed: 2, scale: 8 / 255 }));
        const gradient = noise([rows, channels], { seed: 3 });
        return runKernel('KafscopeAttackStep', { x, clean, gradient }, { stepSize: 10 / 255, epsilon: 8 / 255 });
      }, exactly);
    }
    await expectLikeCpu(() => {
      const gradient = tf.tensor1d(extremes);
      const half = tf.fill([extremes.length], 0.5);
      return [
        ...runKernel('KafscopeAttackStep', { x: half, clean: half, gradient }, { stepSize: 0.1, epsilon: 0.05 }),
        ...runKernel('KafscopeAttackStep', { x: gradient, clean: half, gradient }, { stepSize: 0.1, epsilon: 0.05 }),
      ];
    }, exactly);
  });

  it('update weights and moments in place to the same bits', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(() => {
        const [parameter, gradient, velocity, first] = [1, 2, 3, 4].map((seed) => noise([rows, channels], { seed }));
        const secondMoment = tf.abs(noise([rows, channels], { seed: 5 }));
        const plain = tf.add(parameter!, 1);
        const decay = { learningRate: 0.1, weightDecay: 5e-4 };
        runKernel('KafscopeSgdUpdate', { parameter: plain, gradient }, { ...decay, momentum: 0 });
        runKernel('KafscopeSgdUpdate', { parameter, gradient, velocity }, { ...decay, momentum: 0.9 });
        const moments = { firstMoment: first, secondMoment };
        const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3 };
        runKernel('KafscopeAdamUpdate', { parameter, gradient, ...moments }, { ...decay, ...betas });
        return [plain, parameter!, velocity!, first!, secondMoment];
      }, exactly);
    }
  });

  it('normalise batches, and give the gradients', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(
        () => {
          const x = tf.add(noise([rows, channels], { scale: 2 }), 5);
          const [gamma, beta, mean] = [2, 3, 4].map((seed) => noise([channels], { seed }));
          const variance = tf.add(tf.abs(noise([channels], { seed: 5 })), 0.5);
          const dy = noise([rows, channels], { seed: 6 });
          return [
            ...runKernel('KafscopeBatchNorm', { x, gamma, beta }, { epsilon: 1e-3 }),
            ...runKernel('KafscopeBatchNormGrad', { dy, x, gamma, mean, variance }, { epsilon: 1e-3 }),
            ...runKernel('KafscopeScaleShift', { x, scale: gamma, shift: beta }),
          ];
          // Sums over 1030 rows of dy·x̂ reach a few hundred; they are taken in another order.
        },
        { absolute: 2e-5, relative: 1e-5 },
      );
    }
  });

  it('make a channel with a NaN or an infinity NaN, and no other', async () => {
    for (const value of [NaN, Infinity]) {
      await expectLikeCpu(
        () => {
          const values = noise([6, 5]).dataSync<'float32'>().slice();
          values[7] = value;
          const x = tf.tensor2d(values, [6, 5]);
          const ones = tf.ones([5]);
          return runKernel('KafscopeBatchNorm', { x, gamma: ones, beta: ones }, { epsilon: 1e-3 }).slice(0, 1);
        },
        { absolute: 1e-5, relative: 1e-5 },
      );
    }
  });

  const named = Object.keys(activations) as ActivationName[];

  it.each(named.filter((type) => functionOf(type).parameters.length === 0))(
    '%s agrees in value and gradient, at the extremes too',
    async (type) => {
      for (const length of [0, 1, 5, 1030]) {
        await expectLikeCpu(() => {
          const x = tf.concat([noise([length], { scale: 12 }), tf.tensor1d(extremes)]);
          const dy = noise(x.shape, { seed: 2 });
          const attributes = { formula: functionOf(type).formula, gradients: 'all' };
          return [
            ...runKernel('KafscopeFormula', { x }, attributes),
            ...runKernel('KafscopeFormulaGrad', { dy, x }, attributes),
          ];
        }, smooth);
      }
    },
  );

  it.each(named.filter((type) => functionOf(type).parameters.length > 0))(
    '%s agrees in value and all gradients',
    async (type) => {
      const { formula, parameters } = functionOf(type);
      for (const [rows, channels] of sizes) {
        await expectLikeCpu(
          () => {
            const x = noise([rows, channels], { scale: 3 });
            const starts = tf.tensor2d([parameters.map(({ start }) => start)]);
            const coefficients = tf.add(noise([channels, parameters.length], { scale: 0.3, seed: 2 }), starts);
            const dy = noise([rows, channels], { seed: 3 });
            const attributes = { formula, gradients: 'all' };
            return [
              ...runKernel('KafscopeTrainedFormula', { x, coefficients }, attributes),
              ...runKernel('KafscopeTrainedFormulaGrad', { dy, x, coefficients }, attributes),
            ];
            // Sums over 1030 rows of terms up to 27.
          },
          { absolute: 27 * 4e-7 * Math.sqrt(1030), relative: 1e-5 },
        );
      }
    },
  );

  it.each(['catmull-rom', 'b-spline'])('agree on a %s spline and all gradients', async (basis) => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(
        () => {
          const x = tf.concat([noise([rows, channels], { scale: 4 }), tf.fill([1, channels], Infinity)]);
          const points = noise([channels, 21], { seed: 2 });
          const dy = noise([rows + 1, channels], { seed: 3 });
          const attributes = { boundary: 3, basis, gradients: 'all' };
          return [
            ...runKernel('KafscopeSpline', { x, points }, attributes),
            ...runKernel('KafscopeSplineGrad', { dy, x, points }, attributes),
          ];
        },
        // u is good to 21·6e-8; y changes by at most 2.5 times that, the slope by 10·20/6, a weight by 1.5, over 1030 rows.
        [
          { absolute: 6e-6, relative: 0 },
          { absolute: 6e-5, relative: 0 },
          { absolute: 2e-6 * Math.sqrt(1030), relative: 1e-5 },
        ],
      );
    }
  });

  it('take the same maximum of several maps', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(() => {
        const x = tf.concat([noise([rows, 3 * channels]), tf.fill([1, 3 * channels], NaN)]);
        const dy = noise([rows + 1, channels], { seed: 2 });
        return [
          ...runKernel('KafscopeMaxout', { x }, { maps: 3 }),
          ...runKernel('KafscopeMaxoutGrad', { dy, x }, { maps: 3 }),
        ];
      }, exactly);
    }
  });

  it('keep the same winners', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(() => {
        const x = noise([rows, channels]);
        const attributes = { count: Math.ceil(channels / 3), nLanes: 1, isExact: true };
        const [y, thresholds, quotas] = runKernel('KafscopeKWinners', { x }, attributes);
        const dy = noise([rows, channels], { seed: 2 });
        const inputs = { dy, x, thresholds: thresholds!, quotas: quotas! };
        return [y!, thresholds!, quotas!, ...runKernel('KafscopeKWinnersGrad', inputs, attributes)];
      }, exactly);
    }
  });

  it('agree on KAF with a dictionary and a bandwidth of each channel', async () => {
    for (const [rows, channels] of sizes) {
      await expectLikeCpu(
        () => {
          const x = noise([rows, channels], { scale: 4 });
          const [alpha, dictionary] = [2, 3].map((seed) => noise([channels, 20], { seed, scale: seed - 1 }));
          const inputs = { x, alpha, dictionary, logGamma: noise([channels], { seed: 4 }) };
          const dy = noise([rows, channels], { seed: 5 });
          const attributes = { base: 'swish', gradients: 'all' };
          return [
            ...runKernel('KafscopeFreeKaf', inputs, attributes),
            ...runKernel('KafscopeFreeKafGrad', { dy, ...inputs }, attributes),
          ];
          // Sums over 1030 rows of up to 20 terms.
        },
        { absolute: 20 * 4e-7 * Math.sqrt(1030), relative: 1e-5 },
      );
    }
  });
});

/** With a name, at numbers that bend it: 1.7 where its range allows. */
function functionOf(type: ActivationName): ActivationFunction {
  const numbers = Object.entries<ActivationKey>(activations[type].keys).map(([key, said]) => {
    const isBent = !('words' in said) && !said.isTrained && !said.isInteger && said.max >= 1.7;
    return [key, isBent ? 1.7 : said.byDefault] as const;
  });
  return activationFunction({ type, ...Object.fromEntries(numbers) } as never);
}
