// The networks of the thesis (sections 6.1 and 7.1, with the corrections of the same order convolution → batch normalisation →
// activation for every activation). Training and its state are the trainer's.
import * as tf from '@tensorflow/tfjs-core';
import type { ModelPlan } from '../protocol/plan.ts';
import type { KafInfo } from '../protocol/records.ts';
import { batchNormInference, batchNormTraining } from '../tensor/ops/batchNorm.ts';
import { makeActivation } from './activation.ts';
import { makeDropout, makeNormalization, type BatchStatistics, type Layer, type Pass } from './layer.ts';
import { convolve, multiply } from './linear.ts';
import { ParameterMaker, type Parameter, type Statistic } from './parameters.ts';
import { flatten, globalAveragePool, maxPool } from './pooling.ts';

export interface Network {
  /** In the order of the forward pass. */
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  readonly kafs: readonly KafInfo[];
  /**
   * Logits `[batch, classes]` of images `[batch, height, width, channels]` in [0, 1]. Never moves the running statistics: an
   * attack during training uses the batch's own, and only the update pass hands its statistics to `updateStatistics`.
   */
  forward(images: tf.Tensor4D, pass: Pass): tf.Tensor2D;
  /**
   * Moves the running statistics towards a training pass's, the variance Bessel-corrected. The momentum of update t is
   * (t − 1)/(t + 9) (polynomial-decay averaging, Shamir & Zhang 2013, η = 9: mostly the last tenth of the updates), up to
   * Keras's 0.99 from update 991 on. With 0.99 alone, a short run would be tested with statistics of weights long gone.
   * @param update 1 for the first update of this network, and so on
   */
  updateStatistics(batch: readonly BatchStatistics[], update: number): void;
  dispose(): void;
}

const maxBatchNormMomentum = 0.99;
const batchNormEpsilon = 1e-3;
const denseUnits = 128;

/** Channels of the blocks; each is two convolutions, a pooling and a dropout. */
const blocks = { light: [32, 64], vgg: [32, 64, 128] } as const;

/** Initial weights depend on the seed and the plan alone. */
export function buildNetwork(
  plan: ModelPlan,
  {
    imageShape,
    nClasses,
    seed,
  }: { readonly imageShape: readonly [number, number, number]; readonly nClasses: number; readonly seed: number },
): Network {
  const builder = new Builder(plan, imageShape, seed);
  for (const channels of blocks[plan.network]) {
    builder.addConvolution(channels);
    builder.addConvolution(channels);
    builder.addPooling();
    builder.addDropout();
  }
  if (plan.network === 'light') builder.addGlobalAveragePool();
  else builder.addFlatten();
  builder.addDense(denseUnits);
  builder.addActivation();
  builder.addDropout();
  builder.addDense(nClasses);
  return builder.build();
}

class Builder {
  readonly #plan: ModelPlan;
  readonly #maker: ParameterMaker;
  readonly #layers: Layer[] = [];
  readonly #kafs: KafInfo[] = [];
  readonly #constants: tf.Tensor[] = [];
  readonly #counts = { convolution: 0, activation: 0, dense: 0, dropout: 0 };
  /** Height and width of a feature map; 0 once flat. */
  #side: [number, number];
  #channels: number;

  constructor(plan: ModelPlan, [height, width, channels]: readonly [number, number, number], seed: number) {
    this.#plan = plan;
    this.#maker = new ParameterMaker(seed);
    this.#side = [height, width];
    this.#channels = channels;
    if (plan.normalization) {
      const { apply, constants } = makeNormalization(plan.normalization);
      this.#layers.push(apply);
      this.#constants.push(...constants);
    }
  }

  /** 3×3 convolution, batch normalisation, activation. */
  addConvolution(channels: number): void {
    const number = ++this.#counts.convolution;
    const layer = `conv${number}`;
    const inChannels = this.#channels;
    const kernel = this.#maker.make<tf.Rank.R4>(layer, 'kernel', [3, 3, inChannels, channels], {
      type: 'he-uniform',
      fanIn: 9 * inChannels,
    });
    const bias = this.#maker.make<tf.Rank.R1>(layer, 'bias', [channels], { type: 'constant', value: 0 });
    const differentiatedInTraining = number === 1 ? 'parameters' : 'both';
    this.#layers.push((x, { gradients }) =>
      convolve(x as tf.Tensor4D, kernel, bias, gradients === 'input' ? 'input' : differentiatedInTraining),
    );
    this.#channels = channels;
    this.#addBatchNorm(`bn${number}`);
    this.addActivation();
  }

  #addBatchNorm(layer: string): void {
    const channels = this.#channels;
    const gamma = this.#maker.make<tf.Rank.R1>(layer, 'gamma', [channels], { type: 'constant', value: 1 });
    const beta = this.#maker.make<tf.Rank.R1>(layer, 'beta', [channels], { type: 'constant', value: 0 });
    const runningMean = this.#maker.makeStatistic(layer, 'mean', channels);
    const runningVariance = this.#maker.makeStatistic(layer, 'variance', channels);
    this.#layers.push((x, { mode, batchStatistics }) => {
      if (mode === 'inference') {
        return batchNormInference(x, gamma, beta, runningMean, runningVariance, batchNormEpsilon);
      }
      const { y, mean, variance } = batchNormTraining(x, gamma, beta, batchNormEpsilon);
      batchStatistics?.push({ mean: tf.keep(mean), variance: tf.keep(variance), nValues: x.size / channels });
      return y;
    });
  }

  addActivation(): void {
    const { apply, info } = makeActivation(this.#plan.activation, {
      number: ++this.#counts.activation,
      channels: this.#channels,
      maker: this.#maker,
    });
    this.#layers.push(apply);
    if (info) this.#kafs.push(info);
  }

  addPooling(): void {
    this.#layers.push(maxPool);
    this.#side = [Math.floor(this.#side[0] / 2), Math.floor(this.#side[1] / 2)];
  }

  addDropout(): void {
    const index = this.#counts.dropout++;
    this.#layers.push(makeDropout(this.#plan.dropout[index] ?? 0, index));
  }

  addGlobalAveragePool(): void {
    this.#layers.push(globalAveragePool);
  }

  addFlatten(): void {
    this.#layers.push(flatten);
    this.#channels *= this.#side[0] * this.#side[1];
  }

  addDense(units: number): void {
    const layer = `dense${++this.#counts.dense}`;
    const inputs = this.#channels;
    const kernel = this.#maker.make<tf.Rank.R2>(layer, 'kernel', [inputs, units], {
      type: 'glorot-uniform',
      fanIn: inputs,
      fanOut: units,
    });
    const bias = this.#maker.make<tf.Rank.R1>(layer, 'bias', [units], { type: 'constant', value: 0 });
    this.#layers.push((x, { gradients }) =>
      multiply(x as tf.Tensor2D, kernel, bias, gradients === 'input' ? 'input' : 'both'),
    );
    this.#channels = units;
  }

  build(): Network {
    const layers = this.#layers;
    const constants = this.#constants;
    const { parameters, statistics } = this.#maker;
    return {
      parameters,
      statistics,
      kafs: this.#kafs,
      forward: (images, pass) => layers.reduce<tf.Tensor>((x, layer) => layer(x, pass), images) as tf.Tensor2D,
      updateStatistics: (batch, update) => updateStatistics(statistics, batch, update),
      dispose: () => tf.dispose([...[...parameters, ...statistics].map(({ variable }) => variable), ...constants]),
    };
  }
}

/** Statistics come in pairs, mean and variance, in the order of the layers. */
function updateStatistics(statistics: readonly Statistic[], batch: readonly BatchStatistics[], update: number): void {
  const momentum = Math.min(maxBatchNormMomentum, (update - 1) / (update + 9));
  tf.tidy(() => {
    batch.forEach(({ mean, variance, nValues }, index) => {
      const bessel = nValues > 1 ? nValues / (nValues - 1) : 1;
      move(statistics[2 * index]!.variable, mean, momentum, 1);
      move(statistics[2 * index + 1]!.variable, variance, momentum, bessel);
    });
  });
}

function move(variable: tf.Variable, target: tf.Tensor, momentum: number, scale: number): void {
  variable.assign(tf.add(tf.mul(variable, momentum), tf.mul(target, (1 - momentum) * scale)));
}
