// Networks made of a layout (server/network/layout.ts): parameters, forward pass, running statistics. Training and its state are the trainer's.
import * as tf from '@tensorflow/tfjs-core';
import { initializerEntry } from '../protocol/initializers.ts';
import type { InitializerPlan, ModelPlan, SpectralNormPlan } from '../protocol/plan.ts';
import type { ShapeInfo } from '../protocol/records.ts';
import { makeActivation, type Progress } from './activation.ts';
import type { ActivationLayer } from './activationLayer.ts';
import { makeBatchNorm, updateStatistics } from './batchNorm.ts';
import { makeGroupNorm } from './groupNorm.ts';
import { chain, makeDropout, makeNormalization, type BatchStatistics, type Layer, type Pass } from './layer.ts';
import {
  layOutNetwork,
  type ActivationLayout,
  type ConvolutionLayout,
  type DenseLayout,
  type LayerLayout,
  type NetworkEnds,
} from '../network/layout.ts';
import { besideZero, concatenate, residual } from './joins.ts';
import { convolve, multiply, type Differentiated } from './linear.ts';
import { ParameterMaker, type Initializer, type Parameter, type Statistic } from './parameters.ts';
import type { AtStep, Halted } from '../tensor/ops/step.ts';
import { averagePool, flatten, globalAveragePool, maxPool } from './pooling.ts';

export interface Network {
  /** In the order of the forward pass. */
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  /** Those whose shapes are observed. */
  readonly activations: readonly ShapeInfo[];
  /** Activation layers alone, by name, for whoever looks at a network part by part. */
  readonly parts: ReadonlyMap<string, Layer>;
  /**
   * Logits `[batch, classes]` of samples `[batch, …sampleShape]`, pictures in [0, 1]. Never moves the running statistics: an
   * attack during training uses the batch's own, and only the update pass hands its statistics to `updateStatistics`.
   */
  forward(samples: tf.Tensor, pass: Pass): tf.Tensor2D;
  /** What the `depth`-th layer from the end takes, 1 being the last; a normalisation and the activation behind it are one. */
  before(depth: number, samples: tf.Tensor, pass: Pass): tf.Tensor;
  /**
   * Moves the running statistics towards a training pass's, unless the flag is set.
   * @param at step 1 for the first update of this network, and so on
   */
  updateStatistics(batch: readonly BatchStatistics[], at: AtStep, halted?: Halted | null): void;
  /** After each update of the weights: the largest singular values of kernels follow, where the plan asks for them. */
  followWeights(halted?: Halted | null): void;
  /** For layers that change in the course of training: how many epochs were done before the one at hand. */
  setEpoch(epoch: number): void;
  dispose(): void;
}

export interface NetworkOptions extends NetworkEnds {
  readonly seed: number;
  /** Of a table's columns; null or absent for pictures. */
  readonly columns?: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

/** Initial weights depend on the seed and the plan alone. */
export function buildNetwork(plan: ModelPlan, { seed, columns = null, ...ends }: NetworkOptions): Network {
  const builder = new Builder(seed, plan);
  const figures = plan.normalization === 'dataset' ? columns : plan.normalization;
  const normalization = figures && makeNormalization(figures);
  const layers = builder.buildAll(layOutNetwork(plan, ends));
  const asLogits = ends.nOutputs === 1 ? [besideZero] : [];
  const forward = chain([...(normalization ? [normalization.apply] : []), ...layers, ...asLogits]);
  const constants = normalization?.constants ?? [];
  const { activations } = builder;
  const { parameters, statistics } = builder.maker;
  return {
    parameters,
    statistics,
    activations,
    parts: builder.parts,
    forward: (samples, pass) => forward(samples, pass) as tf.Tensor2D,
    before: (depth, samples, pass) =>
      chain([...(normalization ? [normalization.apply] : []), ...layers.slice(0, Math.max(0, layers.length - depth))])(
        samples,
        pass,
      ),
    updateStatistics: (batch, at, halted) => {
      updateStatistics(statistics, batch, at, halted);
    },
    followWeights: (halted) => {
      for (const { spectrum } of parameters) spectrum?.follow(halted);
    },
    setEpoch: (epoch) => {
      builder.progress.epoch = epoch;
    },
    dispose: () => {
      for (const { spectrum } of parameters) spectrum?.dispose();
      tf.dispose([...[...parameters, ...statistics].map(({ variable }) => variable), ...constants]);
    },
  };
}

type Initial = { readonly [K in 'initializer' | 'spectralNorm']?: ModelPlan[K] | null | undefined };

/** Makes layers in the order of the forward pass, which is the order of their parameters. */
class Builder {
  readonly maker: ParameterMaker;
  readonly activations: ShapeInfo[] = [];
  readonly parts = new Map<string, Layer>();
  readonly progress: Progress = { epoch: 0 };

  /** Of every kernel, whatever its layer says; null for each layer's own. */
  readonly #initializer: InitializerPlan | null;
  readonly #spectralNorm: SpectralNormPlan | null;

  constructor(seed: number, { initializer = null, spectralNorm = null }: Initial) {
    this.maker = new ParameterMaker(seed);
    this.#initializer = initializer;
    this.#spectralNorm = spectralNorm;
  }

  /** A list; a batch normalisation and the activation behind it are one layer. */
  buildAll(layouts: readonly LayerLayout[]): Layer[] {
    return layouts.flatMap((layout, index) => {
      const [before, after] = [layouts[index - 1], layouts[index + 1]];
      if (layout.type === 'activation' && before?.type === 'batch-norm') return [];
      if (layout.type !== 'batch-norm' || after?.type !== 'activation') return [this.#build(layout)];
      return [makeBatchNorm(layout.name, layout.output.at(-1)!, this.maker, () => this.#activation(after))];
    });
  }

  #build(layout: LayerLayout): Layer {
    switch (layout.type) {
      case 'convolution':
        return this.#convolution(layout);
      case 'batch-norm':
        return makeBatchNorm(layout.name, layout.output.at(-1)!, this.maker);
      case 'layer-norm':
        return makeGroupNorm(layout.name, layout.output.at(-1)!, 1, this.maker);
      case 'group-norm':
        return makeGroupNorm(layout.name, layout.output.at(-1)!, layout.groups, this.maker);
      case 'activation':
        return this.#activation(layout).apply;
      case 'dropout':
        return makeDropout(layout.rate, layout.index);
      case 'max-pool':
        return maxPool(layout);
      case 'average-pool':
        return averagePool(layout);
      case 'global-average-pool':
        return globalAveragePool;
      case 'flatten':
        return flatten;
      case 'dense':
        return this.#dense(layout);
      case 'residual': {
        const [branch, skip] = [layout.branch, layout.skip].map((way) => this.#way(way));
        const scale = layout.isScaled ? this.maker.make<tf.Rank.R1>(layout.name, 'scale', [1], zero) : null;
        return residual(branch!, skip!, { tiles: layout.tiles, scale });
      }
      case 'concat':
        return concatenate(layout.ways.map((way) => this.#way(way)));
      default:
        return layout satisfies never;
    }
  }

  #way(layouts: readonly LayerLayout[]): Layer {
    return chain(this.buildAll(layouts));
  }

  #activation({ name, output, activation }: ActivationLayout): ActivationLayer {
    const place = { name, channels: output.at(-1)!, maker: this.maker, progress: this.progress };
    const made = makeActivation(activation, place);
    if (made.info) this.activations.push(made.info);
    this.parts.set(name, made.apply);
    return {
      ...made,
      apply: (x, pass) => {
        const y = made.apply(x, pass);
        pass.seen?.(name, x, y);
        return y;
      },
    };
  }

  #convolution({
    name,
    input,
    output,
    size,
    stride,
    padding,
    hasBias,
    initializer,
    isFirst,
  }: ConvolutionLayout): Layer {
    const [inChannels, outChannels] = [input[2]!, output[2]!];
    const fans = { fanIn: size * size * inChannels, fanOut: size * size * outChannels };
    const plan = this.#initializer ?? { type: initializer, gain: 1 };
    const kernelShape: [number, number, number, number] = [size, size, inChannels, outChannels];
    const kernel = this.#kernel<tf.Rank.R4>(name, kernelShape, { type: 'kernel', plan, ...fans });
    const bias = hasBias ? this.maker.make<tf.Rank.R1>(name, 'bias', [outChannels], biasOf(plan, fans)) : null;
    return (x, pass) =>
      convolve(x as tf.Tensor4D, kernel, bias, { stride, padding, differentiated: differentiatedIn(pass, isFirst) });
  }

  #dense({ name, input, output, hasBias, initializer, isFirst }: DenseLayout): Layer {
    const [inputs, units] = [input[0]!, output[0]!];
    const fans = { fanIn: inputs, fanOut: units };
    const plan = this.#initializer ?? { type: initializer, gain: 1 };
    const kernel = this.#kernel<tf.Rank.R2>(name, [inputs, units], { type: 'kernel', plan, ...fans });
    const bias = hasBias ? this.maker.make<tf.Rank.R1>(name, 'bias', [units], biasOf(plan, fans)) : null;
    return (x, pass) => multiply(x as tf.Tensor2D, kernel, bias, differentiatedIn(pass, isFirst));
  }

  /** @returns what the layer takes for its kernel */
  #kernel<R extends tf.Rank>(layer: string, shape: tf.ShapeMap[R], initializer: Initializer): tf.Variable<R> {
    const kernel = this.maker.make<R>(layer, 'kernel', shape, initializer);
    const spectrum = this.#spectralNorm && this.maker.followSpectrum(this.#spectralNorm);
    return (spectrum?.divided as tf.Variable<R> | null | undefined) ?? kernel;
  }
}

/** Nobody asks for the gradient of the sample itself in training, unless a method moves it. */
function differentiatedIn({ gradients, differentiatesInput }: Pass, isFirst: boolean): Differentiated {
  if (gradients === 'input') return 'input';
  return isFirst && !differentiatesInput ? 'parameters' : 'both';
}

const zero = { type: 'constant', value: 0 } as const;

/** The gain is the kernels' alone. */
function biasOf({ type }: InitializerPlan, { fanIn }: { readonly fanIn: number }): Initializer {
  return initializerEntry(type).drawsBiases ? { type: 'uniform', limit: Math.sqrt(1 / fanIn) } : zero;
}
