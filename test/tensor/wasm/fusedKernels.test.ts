import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';

import { activationFunction, type ActivationFunction } from '../../../server/formula/activationFunction.ts';
import { activations, type ActivationKey, type ActivationName } from '../../../server/formula/activations.ts';
import { describeOnEveryBuild, exactly, expectLikeCpu, extremes, noise, runKernel, sizes, smooth } from './builds.ts';

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
        const decay = { at: { step: 3, learningRate: 0.1 }, weightDecay: 5e-4 };
        runKernel('KafscopeSgdUpdate', { parameter: plain, gradient }, { ...decay, momentum: 0 });
        runKernel('KafscopeSgdUpdate', { parameter, gradient, velocity }, { ...decay, momentum: 0.9 });
        const moments = { firstMoment: first, secondMoment };
        const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
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
