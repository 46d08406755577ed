// Transfer against PyTorch: the images after every step, and which of them fool the network that only judges.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as ball from '../../server/attack/ball.ts';
import { Target } from '../../server/attack/target.ts';
import { transfer } from '../../server/attack/transfer.ts';
import { Trial } from '../../server/attack/trial.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten } from '../../server/model/pooling.ts';
import { kaf } from '../../server/tensor/ops/kaf.ts';
import { attackPlan } from '../attack/plans.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

// The draws are Python's.
vi.mock('../../server/attack/ball.ts', async (original) => ({
  ...(await original<typeof ball>()),
  startInBall: vi.fn(),
}));

type Weights = Readonly<Record<'kernel' | 'bias' | 'lastKernel' | 'lastBias', GoldenTensor>>;

interface TransferCase {
  readonly norm: 'linf' | 'l2';
  readonly loss: 'margin' | 'cross-entropy';
  readonly momentum: number;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly shape: readonly [number, number, number];
  readonly judge: Weights;
  readonly surrogate: Weights;
  readonly clean: GoldenTensor;
  readonly labels: GoldenTensor;
  /** Start and after each step, `[6, images, …]`. */
  readonly trajectory: GoldenTensor;
  /** By step and image, whether the judge is wrong about it. */
  readonly fooled: GoldenTensor;
}

const { cases } = readGolden<{ cases: readonly TransferCase[] }>('transfer');

beforeAll(openCpu);

describe.each(cases)('transfer under $norm with $loss and momentum $momentum', (one) => {
  const [nLooks = 0, nImages = 0] = one.fooled.shape;
  const fooledAt = (look: number) => one.fooled.values.slice(look * nImages, (look + 1) * nImages);
  const nValues = one.clean.values.length / nImages;

  it('shows the judge the images of every step, to 1e-5, and each image falls where the judge first errs', () => {
    const { looks, fallen } = attack(one, 'all');
    expect(looks).toHaveLength(nLooks);
    const found = new Set<number>();
    looks.forEach(({ rows, images }, look) => {
      const all = toFloat32(one.trajectory).subarray(look * nImages * nValues, (look + 1) * nImages * nValues);
      const expected = Float32Array.from(rows.flatMap((row) => [...all.subarray(row * nValues, (row + 1) * nValues)]));
      expectClose(images, expected, { absolute: 1e-5, relative: 0 }, `images after step ${String(look)}`);
      fooledAt(look).forEach((isFooled, row) => {
        if (isFooled) found.add(row);
      });
      expect(fallen[look]).toEqual([...found].sort());
    });
  });

  it('shows it the last images alone where these alone are judged', () => {
    const { looks, fallen } = attack(one, 'last');
    expect(looks).toHaveLength(1);
    expectClose(
      looks[0]!.images,
      toFloat32(one.trajectory).subarray(-nImages * nValues),
      { absolute: 1e-5, relative: 0 },
      '',
    );
    expect(fallen.slice(0, -1)).toEqual(Array(nLooks - 1).fill([]));
    expect(fallen.at(-1)).toEqual(fooledAt(nLooks - 1).flatMap((isFooled, row) => (isFooled ? [row] : [])));
  });
});

/** @returns the images that the judge looked at with their rows, and after each point the rows that have fallen */
function attack({ norm, loss, momentum, epsilon, stepSize, shape, ...one }: TransferCase, judged: 'all' | 'last') {
  const before = tf.memory().numTensors;
  const looks: { rows: number[]; images: Float32Array }[] = [];
  const [judge, surrogate] = [networkOf(one.judge), networkOf(one.surrogate)];
  let hear: (x: tf.Tensor) => void = () => undefined;
  const forward: Network['forward'] = (x, pass) => {
    hear(x);
    return judge.forward(x, pass);
  };
  const passes = { forward: 0, backward: 0 };
  const target = new Target({ forward }, { nClasses: 5, shape, passes });
  const labels = Int32Array.from(one.labels.values);
  const images = tf.tensor(toFloat32(one.clean), [labels.length, ...shape]);
  const trial = new Trial({
    ...{ target, surrogate: target.beside(surrogate), images, labels, seed: 0, first: 0, bounds: [0, 1] },
  });
  expect(trial.size).toBe(labels.length);
  hear = (x) => looks.push({ rows: [...trial.rows], images: x.dataSync<'float32'>().slice() });
  const start = toFloat32(one.trajectory).subarray(0, one.clean.values.length);
  vi.mocked(ball.startInBall).mockReturnValue(tf.tensor(start, images.shape));
  const steps = one.fooled.shape[0]! - 1;
  const fallen: number[][] = [];
  for (const _ of transfer(
    trial,
    attackPlan('transfer', { norm, loss, momentum, epsilon, stepSize, steps, judged }),
    0,
  )) {
    fallen.push([...trial.distances.keys()].filter((row) => trial.distances[row] === 0));
  }
  trial.dispose();
  for (const network of [judge, surrogate]) network.dispose();
  images.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return { looks, fallen };
}

function networkOf(weights: Weights): Pick<Network, 'forward' | 'dispose'> {
  const [kernel, bias, lastKernel, lastBias] = (['kernel', 'bias', 'lastKernel', 'lastBias'] as const).map((name) =>
    tf.tensor(toFloat32(weights[name]), [...weights[name].shape] as [number]),
  ) as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D];
  // Swish is the base of a KAF without coefficients.
  const alpha = tf.zeros<tf.Rank.R2>([weights.bias.values.length, 5]);
  return {
    forward: (images, pass) => {
      const sums = multiply(flatten(images, pass) as tf.Tensor2D, kernel, bias, 'input');
      const hidden = kaf(sums, alpha, { boundary: 3, gamma: 1, base: 'swish', gradients: 'input' });
      return multiply(hidden, lastKernel, lastBias, 'input');
    },
    dispose: () => tf.dispose([kernel, bias, lastKernel, lastBias, alpha]),
  };
}
