// Networks made of a layout (layout.ts): parameters, forward pass, running statistics. Training and its state are the trainer's.
import * as tf from '@tensorflow/tfjs-core';
import type { ModelPlan } from '../protocol/plan.ts';
import type { ShapeInfo } from '../protocol/records.ts';
import { makeActivation, type Progress } from './activation.ts';
import { makeBatchNorm, updateStatistics } from './batchNorm.ts';
import { chain, makeDropout, makeNormalization, type BatchStatistics, type Layer, type Pass } from './layer.ts';
import {
  layOutNetwork,
  type ConvolutionLayout,
  type DenseLayout,
  type LayerLayout,
  type NetworkEnds,
} from './layout.ts';
import { convolve, multiply } from './linear.ts';
import { ParameterMaker, type Parameter, type Statistic } from './parameters.ts';
import { flatten, globalAveragePool, maxPool } from './pooling.ts';
import { residual } from './residual.ts';

export interface Network {
  /** In the order of the forward pass. */
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  /** Those whose shapes are observed. */
  readonly activations: readonly ShapeInfo[];
  /**
   * Logits `[batch, classes]` of images `[batch, height, width, channels]` in [0, 1]. Never moves the running statistics: an
   * attack during training uses the batch's own, and only the update pass hands its statistics to `updateStatistics`.
   */
  forward(images: tf.Tensor4D, pass: Pass): tf.Tensor2D;
  /**
   * Moves the running statistics towards a training pass's.
   * @param update 1 for the first update of this network, and so on
   */
  updateStatistics(batch: readonly BatchStatistics[], update: number): void;
  /** For layers that change in the course of training: how many epochs were done before the one at hand. */
  setEpoch(epoch: number): void;
  dispose(): void;
}

/** Initial weights depend on the seed and the plan alone. */
export function buildNetwork(plan: ModelPlan, { seed, ...ends }: NetworkEnds & { readonly seed: number }): Network {
  const builder = new Builder(plan, seed);
  const normalization = plan.normalization && makeNormalization(plan.normalization);
  const layers = layOutNetwork(plan, ends).map((layout) => builder.build(layout));
  const forward = chain(normalization ? [normalization.apply, ...layers] : layers);
  const constants = normalization?.constants ?? [];
  const { activations } = builder;
  const { parameters, statistics } = builder.maker;
  return {
    parameters,
    statistics,
    activations,
    forward: (images, pass) => forward(images, pass) as tf.Tensor2D,
    updateStatistics: (batch, update) => {
      updateStatistics(statistics, batch, update);
    },
    setEpoch: (epoch) => {
      builder.progress.epoch = epoch;
    },
    dispose: () => tf.dispose([...[...parameters, ...statistics].map(({ variable }) => variable), ...constants]),
  };
}

/** Makes layers in the order of the forward pass, which is the order of their parameters. */
class Builder {
  readonly maker: ParameterMaker;
  readonly activations: ShapeInfo[] = [];
  readonly progress: Progress = { epoch: 0 };
  readonly #plan: ModelPlan;

  constructor(plan: ModelPlan, seed: number) {
    this.#plan = plan;
    this.maker = new ParameterMaker(seed);
  }

  build(layout: LayerLayout): Layer {
    switch (layout.type) {
      case 'convolution':
        return this.#convolution(layout);
      case 'batch-norm':
        return makeBatchNorm(layout.name, layout.shape[2], this.maker);
      case 'activation': {
        const { prefix, number, shape } = layout;
        const place = { prefix, number, channels: shape.at(-1)!, maker: this.maker, progress: this.progress };
        const { apply, info } = makeActivation(this.#plan.activation, place);
        if (info) this.activations.push(info);
        return apply;
      }
      case 'dropout':
        return makeDropout(this.#plan.dropout[layout.index] ?? 0, layout.index);
      case 'max-pool':
        return maxPool;
      case 'global-average-pool':
        return globalAveragePool;
      case 'flatten':
        return flatten;
      case 'dense':
        return this.#dense(layout);
      case 'residual': {
        const [branch, skip] = [layout.branch, layout.skip].map((way) => chain(way.map((inner) => this.build(inner))));
        return residual(branch!, skip!);
      }
      default:
        return layout satisfies never;
    }
  }

  #convolution({ name, input, output, size, stride, initializer, isFirst }: ConvolutionLayout): Layer {
    const [inChannels, outChannels] = [input[2], output[2]];
    const kernel = this.maker.make<tf.Rank.R4>(name, 'kernel', [size, size, inChannels, outChannels], {
      type: initializer,
      fanIn: size * size * inChannels,
      fanOut: size * size * outChannels,
    });
    const bias = this.maker.make<tf.Rank.R1>(name, 'bias', [outChannels], { type: 'constant', value: 0 });
    const differentiatedInTraining = isFirst ? 'parameters' : 'both';
    return (x, { gradients }) =>
      convolve(x as tf.Tensor4D, kernel, bias, {
        stride,
        differentiated: gradients === 'input' ? 'input' : differentiatedInTraining,
      });
  }

  #dense({ name, inputs, units, initializer }: DenseLayout): Layer {
    const kernel = this.maker.make<tf.Rank.R2>(name, 'kernel', [inputs, units], {
      type: initializer,
      fanIn: inputs,
      fanOut: units,
    });
    const bias = this.maker.make<tf.Rank.R1>(name, 'bias', [units], { type: 'constant', value: 0 });
    return (x, { gradients }) => multiply(x as tf.Tensor2D, kernel, bias, gradients === 'input' ? 'input' : 'both');
  }
}
