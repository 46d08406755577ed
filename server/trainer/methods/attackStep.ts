// The words in which the files beside this one write their algorithms: starts, gradients and steps of an attack on one batch of
// training, drawn by the step. Which of them, and in which order, is theirs.
import * as tf from '@tensorflow/tfjs-core';
import { likeImages, lengthOf, stepInBall, unit, type BallOptions } from '../../attack/ball.ts';
import { inputGradient } from '../../attack/inputGradient.ts';
import type { Batch } from '../../data/batches.ts';
import type { BatchStatistics, Pass } from '../../model/layer.ts';
import { randomStreams } from '../../model/randomStreams.ts';
import type { MethodName, PlanOfMethod } from '../../protocol/methodTable.ts';
import type { ThreatPlan } from '../../protocol/plan.ts';
import { normal, uniform, type RandomKey } from '../../tensor/ops/random.ts';
import type { AtStep } from '../../tensor/ops/step.ts';
import { disposeStatistics, gradientsOn, keyOf, type MakeMethod, type MethodSurroundings } from './method.ts';

type Statistics = 'batch' | 'moving' | 'running';

type AttackPass = Pick<Pass, 'mode' | 'key'> & Partial<Pick<Pass, 'batchStatistics'>>;

/** Losses `[batch]` of logits, differentiable. */
type LossOfLogits = (logits: tf.Tensor2D) => tf.Tensor1D;

/** Tensors are the tidy's in which it is made, but for those that a method of this says it disposes. */
export class AttackStep {
  readonly threat: ThreatPlan;
  readonly labels: tf.Tensor1D;
  /** The images of the batch, in the space that attacks move in. */
  readonly clean: tf.Tensor;
  /** Of passes that shall move the running statistics; kept, the caller disposes. */
  readonly moving: BatchStatistics[][] = [];
  readonly #around: MethodSurroundings;
  readonly #statistics: Statistics;
  readonly #at: AtStep;
  #nPasses = 0;

  constructor(around: MethodSurroundings, { images, labels }: Batch, at: AtStep, statistics: Statistics) {
    if (!around.threat) throw new Error('a method with an attack needs a threat');
    this.threat = around.threat;
    this.labels = labels;
    this.clean = around.space.enter(images);
    this.#around = around;
    this.#statistics = statistics;
    this.#at = at;
  }

  /** At the image, or drawn uniformly in the ball, clipped to the values that a sample may have where it is to be in the image. */
  start(kind: 'ball' | 'image' | 'zero', ball: BallOptions = this.threat, draw = 0): tf.Tensor {
    if (kind === 'zero') return this.clean.clone();
    const point = tf.tidy(() => tf.add(this.clean, this.#inBall(ball, draw)));
    return kind === 'ball' ? point : this.clip(point);
  }

  /** Disposes `x`. */
  clip(x: tf.Tensor): tf.Tensor {
    const { bounds } = this.#around.space;
    if (!bounds) return x;
    const clipped = tf.clipByValue(x, ...bounds);
    x.dispose();
    return clipped;
  }

  /** ∇ₓ Σ ℓ, in a pass of its own. */
  gradient(x: tf.Tensor, lossOf: LossOfLogits = this.loss, pass: AttackPass = this.pass()): tf.Tensor {
    const { gradient, logits, losses } = inputGradient(this.#around.space.network, x, lossOf, pass);
    tf.dispose([logits, losses]);
    this.#around.attackGradients?.see(gradient);
    return gradient;
  }

  /** x ← Π(x + α·direction), along sign ∇ₓ ℓ under L∞ and ∇ₓ ℓ/‖∇ₓ ℓ‖₂ under L2; disposes `x`. */
  ascend(
    x: tf.Tensor,
    ball: BallOptions & { readonly stepSize: number } = this.threat,
    lossOf: LossOfLogits = this.loss,
  ): tf.Tensor {
    const gradient = this.gradient(x, lossOf);
    const next = this.step(x, gradient, ball);
    tf.dispose([x, gradient]);
    return next;
  }

  /** The same along a gradient that is known; disposes neither. */
  step(x: tf.Tensor, gradient: tf.Tensor, ball: BallOptions & { readonly stepSize: number }): tf.Tensor {
    const { bounds } = this.#around.space;
    return stepInBall({ clean: this.clean, bounds }, ball, { x, gradient, stepSize: ball.stepSize });
  }

  /** Losses `[batch]`, in a pass of its own. */
  losses(x: tf.Tensor): tf.Tensor1D {
    return tf.tidy(() => this.loss(this.logits(x)));
  }

  logits(x: tf.Tensor): tf.Tensor2D {
    const pass: Pass = { batchStatistics: null, ...this.pass(), gradients: 'input' };
    return tf.tidy(() => this.#around.space.network.forward(x, pass));
  }

  /** What attacks raise. */
  loss = (logits: tf.Tensor2D): tf.Tensor1D => this.#around.attackLossOf(logits, this.labels);

  /** Of the next attack pass: by the statistics that the method was given, with dropout masks of its own. */
  pass(): AttackPass {
    const pass = this.#nPasses++;
    if (this.#statistics === 'running') return { mode: 'inference', key: null };
    const { attackDropout, laterAttackDropout } = randomStreams;
    const key = this.key(pass === 0 ? attackDropout : laterAttackDropout + 65_536 * pass);
    if (this.#statistics === 'batch') return { mode: 'training', key };
    const batchStatistics: BatchStatistics[] = [];
    this.moving.push(batchStatistics);
    return { mode: 'training', key, batchStatistics };
  }

  key(stream: number): RandomKey {
    return keyOf(this.#around, stream, this.#at);
  }

  /** δ uniform in the ball: by coordinate; under L2 a normal direction, its length the d-th root of a uniform number. */
  #inBall({ norm, epsilon }: BallOptions, draw: number): tf.Tensor {
    const { shape } = this.clean;
    const key = this.key(randomStreams.trainingAttack + 2 * draw);
    if (norm === 'linf') return uniform(shape, -epsilon, epsilon, key);
    const size = shape.slice(1).reduce((product, length) => product * length, 1);
    const share = uniform([shape[0]!], 0, 1, { ...key, stream: key.stream + 1 });
    const length = tf.mul(tf.pow(share, 1 / size), epsilon);
    return tf.mul(unit(normal(shape, 0, 1, key)), likeImages(length, this.clean));
  }
}

/** ‖·‖₂ of each sample `[batch]`. */
export { lengthOf, likeImages };

/** A method that trains on perturbed images as standard training does on clean ones; `perturb` gives them in the attack's space. */
export function perturbing<M extends MethodName>(
  perturb: (step: AttackStep, plan: PlanOfMethod<M>) => tf.Tensor,
): MakeMethod<M> {
  return (around, plan) => ({
    kept: new Map(),
    update: (batch, at) => {
      const { statistics } = plan as unknown as { readonly statistics: Statistics };
      let moving: BatchStatistics[][] = [];
      const images = tf.tidy(() => {
        const step = new AttackStep(around, batch, at, statistics);
        moving = step.moving;
        return around.space.leave(perturb(step, plan)) as tf.Tensor4D;
      });
      const { labels } = batch;
      batch.images.dispose();
      const computed = gradientsOn(around, { images, labels }, at);
      tf.dispose([images, labels]);
      return {
        ...computed,
        batchStatistics: [...moving, computed.batchStatistics],
        dispose: () => {
          disposeStatistics(moving);
          computed.dispose();
        },
      };
    },
  });
}
