// A box through a network, layer by layer, whatever layers it has.
import * as tf from '@tensorflow/tfjs-core';
import { averagePool, flatten, globalAveragePool, maxPool } from '../model/pooling.ts';
import type { Layer, Pass } from '../model/layer.ts';
import type { Network } from '../model/network.ts';
import type { LayerLayout, ResidualLayout } from '../network/layout.ts';
import { readFloats } from '../tensor/read.ts';
import { makeActivationBound, type BoundActivation } from './activationBox.ts';
import { addBoxes, besideBoxes, convolveBox, multiplyBox, risingBox, scaleBox, type Box } from './box.ts';
import type { Subject } from './certificate.ts';
import { groupNormBox } from './groupNormBox.ts';

const pass: Pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null };
/** Those of server/model/batchNorm.ts and groupNorm.ts. */
export const [batchNormEpsilon, groupNormEpsilon] = [1e-3, 1e-5];

export class BoundNetwork {
  readonly #subject: Subject;
  readonly #activations = new Map<string, BoundActivation>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Looks at every activation function, one a step: that takes a while. */
  *prepare(layouts = this.#subject.layouts): Generator<void, void, void> {
    for (const layout of layouts) {
      if (layout.type === 'residual') yield* this.prepare([...layout.branch, ...layout.skip]);
      if (layout.type === 'concat') yield* this.prepare(layout.ways.flat());
      if (layout.type !== 'activation') continue;
      const bound = makeActivationBound(
        layout,
        (quantity) => this.#valuesOf(layout.name, quantity),
        this.#subject.epoch,
      );
      this.#activations.set(layout.name, bound);
      yield;
    }
  }

  /** The network's first layer, (x − mean)/std, of samples as they are. */
  normalize(box: Box): Box {
    const { normalization } = this.#subject;
    if (!normalization) return box;
    return scaleBox(box, tf.tensor1d([...normalization.scale]), tf.tensor1d([...normalization.shift]));
  }

  /** Layers one after the other. Inside of a tf.tidy. */
  through(layouts: readonly LayerLayout[], box: Box): Box {
    return layouts.reduce((before, layout) => this.#layer(layout, before), box);
  }

  tensor<T extends tf.Tensor>(layer: string, quantity: string): T | null {
    return tensorOf<T>(this.#subject.network, layer, quantity);
  }

  #layer(layout: LayerLayout, box: Box): Box {
    const { name } = layout;
    const own = <T extends tf.Tensor>(quantity: string) => this.tensor<T>(name, quantity)!;
    switch (layout.type) {
      case 'convolution':
        return convolveBox(box, own<tf.Tensor4D>('kernel'), this.tensor<tf.Tensor1D>(name, 'bias'), layout);
      case 'dense':
        return multiplyBox(box, own<tf.Tensor2D>('kernel'), this.tensor<tf.Tensor1D>(name, 'bias'));
      case 'batch-norm': {
        const scale = tf.div(own('gamma'), tf.sqrt(tf.add(own('variance'), batchNormEpsilon)));
        return scaleBox(box, scale, tf.sub(own('beta'), tf.mul(own('mean'), scale)));
      }
      case 'layer-norm':
        return this.#groupNorm(name, 1, box);
      case 'group-norm':
        return this.#groupNorm(name, layout.groups, box);
      case 'activation':
        return this.#activation(name, box);
      case 'dropout':
        return box;
      case 'max-pool':
        return rising(box, maxPool(layout));
      case 'average-pool':
        return rising(box, averagePool(layout));
      case 'global-average-pool':
        return rising(box, globalAveragePool);
      case 'flatten':
        return rising(box, flatten);
      case 'residual':
        return this.#residual(layout, box);
      case 'concat':
        return besideBoxes(layout.ways.map((way) => this.through(way, box)));
      default:
        return layout satisfies never;
    }
  }

  #residual({ name, branch, skip, tiles, isScaled }: ResidualLayout, box: Box): Box {
    const own = this.through(branch, box);
    const scaled = isScaled ? scaleBox(own, this.tensor(name, 'scale')!, tf.scalar(0)) : own;
    const through = this.through(skip, box);
    return addBoxes(scaled, tiles > 1 ? besideBoxes(Array.from({ length: tiles }, () => through)) : through);
  }

  #activation(name: string, { low, high }: Box): Box {
    const apply = this.#subject.network.parts.get(name)!;
    const [atLow, atHigh] = [apply(low, pass), apply(high, pass)];
    const corners = { low: readFloats(low), high: readFloats(high) };
    const at = { low: readFloats(atLow), high: readFloats(atHigh) };
    const bounds = this.#activations.get(name)!(corners, at, low.shape[0]!);
    return { low: tf.tensor(bounds.low, atLow.shape), high: tf.tensor(bounds.high, atLow.shape) };
  }

  #groupNorm(name: string, groups: number, { low, high }: Box): Box {
    const [nSamples, nChannels] = [low.shape[0]!, low.shape.at(-1)!];
    const parts = { nSamples, nChannels, groups, epsilon: groupNormEpsilon };
    const own = { gamma: this.#valuesOf(name, 'gamma')!, beta: this.#valuesOf(name, 'beta')! };
    const [least, most] = groupNormBox(readFloats(low), readFloats(high), { ...parts, ...own });
    return { low: tf.tensor(least, low.shape), high: tf.tensor(most, low.shape) };
  }

  #valuesOf(layer: string, quantity: string): Float32Array | null {
    const tensor = this.tensor(layer, quantity);
    return tensor && readFloats(tensor);
  }
}

/** A tensor of a layer, as the layer takes it; it is the network's own. */
export function tensorOf<T extends tf.Tensor>(network: Network, layer: string, quantity: string): T | null {
  const named = `${layer}.${quantity}`;
  const parameter = network.parameters.find(({ name }) => name === named);
  const found = parameter ?? network.statistics.find(({ name }) => name === named);
  const taken = parameter?.spectrum?.divided ?? found?.variable;
  return (taken as tf.Tensor as T | undefined) ?? null;
}

function rising(box: Box, layer: Layer): Box {
  return risingBox(box, (x) => layer(x, pass));
}
