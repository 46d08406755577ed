// The network as an attack sees it: logits and gradients in inference mode, every pass of every image counted.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import type { Passes } from '../protocol/records.ts';
import { readFloats } from '../tensor/read.ts';
import { inputGradient } from './inputGradient.ts';
import type { Loss } from './losses.ts';

/** Of all images looked at, row by row. Not the caller's to dispose but for the gradient. */
export interface Look {
  /** `[n · classes]` */
  readonly logits: Float32Array;
  /** `[n]` */
  readonly losses: Float32Array;
}

type PassCount = { -readonly [P in keyof Passes]: Passes[P] };

export class Target {
  readonly nClasses: number;
  /** Shape of a sample. */
  readonly shape: readonly number[];
  readonly passes: PassCount;
  readonly #network: Pick<Network, 'forward'>;

  constructor(
    network: Pick<Network, 'forward'>,
    { nClasses, shape, passes }: { nClasses: number; shape: readonly number[]; passes: Passes },
    counted: PassCount = { ...passes },
  ) {
    this.#network = network;
    this.nClasses = nClasses;
    this.shape = shape;
    this.passes = counted;
  }

  /** Another network of the same samples and classes, whose passes are counted with this one's. */
  beside(network: Pick<Network, 'forward'>): Target {
    const { nClasses, shape, passes } = this;
    return new Target(network, { nClasses, shape, passes }, passes);
  }

  /** Logits `[n · classes]` of images `[n, …]`. */
  logits(images: tf.Tensor | Float32Array): Float32Array {
    return tf.tidy(() => {
      const x = this.#tensor(images);
      this.passes.forward += x.shape[0]!;
      const pass = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null } as const;
      return readFloats(this.#network.forward(x, pass));
    });
  }

  /** ∇ₓ of each image's own loss, a tensor that the caller disposes, or values for values. */
  differentiate(images: tf.Tensor, loss: Loss): Look & { readonly gradient: tf.Tensor };
  differentiate(images: Float32Array, loss: Loss): Look & { readonly gradient: Float32Array };
  differentiate(images: tf.Tensor | Float32Array, loss: Loss): Look & { readonly gradient: tf.Tensor | Float32Array } {
    let look: Look | null = null;
    const gradient = tf.tidy(() => {
      const x = this.#tensor(images);
      this.passes.forward += x.shape[0]!;
      this.passes.backward += x.shape[0]!;
      const found = inputGradient(this.#network, x, loss, { mode: 'inference', key: null });
      const logits = readFloats(found.logits);
      look = { logits, losses: readFloats(found.losses) };
      return images instanceof tf.Tensor ? found.gradient : readFloats(found.gradient);
    });
    return { ...look!, gradient };
  }

  /** Losses and gradients averaged over so many passes (expectation over transformations); the logits are the last pass's. */
  expect(images: Float32Array, loss: Loss, passes: number): Look & { readonly gradient: Float32Array } {
    const first = this.differentiate(images, loss);
    let { logits } = first;
    for (let pass = 1; pass < passes; pass++) {
      const next = this.differentiate(images, loss);
      logits = next.logits;
      next.losses.forEach((value, index) => (first.losses[index]! += value));
      next.gradient.forEach((value, index) => (first.gradient[index]! += value));
    }
    if (passes === 1) return first;
    return { logits, losses: first.losses.map((v) => v / passes), gradient: first.gradient.map((v) => v / passes) };
  }

  #tensor(images: tf.Tensor | Float32Array): tf.Tensor {
    if (images instanceof tf.Tensor) return images;
    const size = this.shape.reduce((product, length) => product * length, 1);
    return tf.tensor(images, [images.length / size, ...this.shape]);
  }
}
