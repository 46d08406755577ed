// The largest singular value of a kernel, followed from update to update by power iteration, and the kernel divided by it. When it
// follows is the trainer's business.
import * as tf from '@tensorflow/tfjs-core';
import { overwrite, type Halted } from '../tensor/ops/step.ts';

/** Of a vector before it is divided by its length, and of σ; PyTorch's. */
const leastLength = 1e-12;

/**
 * Of a kernel W `[…, outputs]` as a matrix `[inputs, outputs]`, a convolution's reshaped (Miyato et al., 2018, section 3 and appendix A):
 * σ = vᵀWu with u ← Wᵀv/‖Wᵀv‖, v ← Wu/‖Wu‖, in PyTorch's order. σ is at most the largest singular value, and reaches it where W rests.
 */
export class Spectrum {
  /** u `[outputs]`. */
  readonly left: tf.Variable<tf.Rank.R1>;
  /** v `[inputs]`. */
  readonly right: tf.Variable<tf.Rank.R1>;
  /** W/σ, shaped as W, which layers then take in W's place; null where it is not asked for. */
  readonly divided: tf.Variable | null;
  readonly #kernel: tf.Variable;
  readonly #iterations: number;

  /** @param right where v begins; disposed */
  constructor(
    kernel: tf.Variable,
    right: tf.Tensor1D,
    { iterations, isDivided }: { readonly iterations: number; readonly isDivided: boolean },
  ) {
    this.#kernel = kernel;
    this.#iterations = iterations;
    const outputs = kernel.shape.at(-1)!;
    [this.left, this.right] = tf.tidy(() => [
      tf.variable(tf.zeros<tf.Rank.R1>([outputs]), false),
      tf.variable(right.clone(), false),
    ]);
    right.dispose();
    this.divided = isDivided ? tf.tidy(() => tf.variable(tf.zerosLike(kernel))) : null;
  }

  /** To be called after each update of W; unless the flag is set. */
  follow(halted: Halted | null = null, iterations = this.#iterations): void {
    tf.tidy(() => {
      const matrix = this.#matrix(this.#kernel);
      for (let iteration = 0; iteration < iterations; iteration++) {
        overwrite(this.left, unit(tf.squeeze(tf.matMul(row(this.right), matrix), [0])), halted);
        overwrite(this.right, unit(tf.squeeze(tf.matMul(row(this.left), matrix, false, true), [0])), halted);
      }
    });
    this.divide();
  }

  /** To be called where W, u and v were set from outside. */
  divide(): void {
    const { divided } = this;
    if (!divided) return;
    tf.tidy(() => {
      divided.assign(tf.div(this.#kernel, this.sigma()));
    });
  }

  /** A scalar; the caller disposes. */
  sigma(): tf.Scalar {
    return tf.tidy(() => {
      const product = tf.matMul(row(this.right), this.#matrix(this.#kernel));
      return tf.maximum(tf.sum<tf.Scalar>(tf.mul(product, row(this.left))), leastLength);
    });
  }

  /**
   * ∇_W of a loss whose gradient with respect to W/σ is `gradient`, u and v held: (G − ⟨G, W/σ⟩·vuᵀ)/σ (Miyato et al., section 3).
   * @returns a tensor of its own; disposes the other
   */
  throughSigma(gradient: tf.Tensor): tf.Tensor {
    const { divided } = this;
    if (!divided) return gradient;
    const result = tf.tidy(() => {
      const share = tf.sum(tf.mul(gradient, divided));
      return tf.div(tf.sub(gradient, tf.mul(this.#slope(), share)), this.sigma());
    });
    gradient.dispose();
    return result;
  }

  /** ∇_W of λ/2·σ²: λσ·vuᵀ (Yoshida & Miyato, 2017). The caller disposes. */
  penaltyGradient(lambda: number): tf.Tensor {
    return tf.tidy(() => tf.mul(this.#slope(), tf.mul(this.sigma(), lambda)));
  }

  dispose(): void {
    tf.dispose([this.left, this.right, ...(this.divided ? [this.divided] : [])]);
  }

  /** ∇_W σ, shaped as W. */
  #slope(): tf.Tensor {
    return tf.reshape(tf.mul(tf.reshape(this.right, [-1, 1]), row(this.left)), this.#kernel.shape);
  }

  #matrix(kernel: tf.Tensor): tf.Tensor2D {
    return tf.reshape(kernel, [-1, kernel.shape.at(-1)!]);
  }
}

function row(vector: tf.Tensor1D): tf.Tensor2D {
  return tf.reshape(vector, [1, -1]);
}

function unit(vector: tf.Tensor): tf.Tensor1D {
  return tf.div(vector, tf.maximum(tf.sqrt(tf.sum(tf.square(vector))), leastLength));
}
