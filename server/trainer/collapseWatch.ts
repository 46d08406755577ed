// The watch over adversarial training: whether the network still withstands many steps, or only the one it is trained on. When to
// look is the loop's business, and so is what to do about a collapse.
import * as tf from '@tensorflow/tfjs-core';
import { evaluateAttack } from '../attack/evaluation.ts';
import { inputGradient } from '../attack/inputGradient.ts';
import { attackSpace } from '../attack/space.ts';
import { consecutive, makeBatch } from '../data/batches.ts';
import type { Dataset, Split } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { randomStreams } from '../model/randomStreams.ts';
import { completeEvaluation } from '../protocol/evaluationPlan.ts';
import type { Plan, ThreatPlan, WatchPlan } from '../protocol/plan.ts';
import type { WatchRecord } from '../protocol/records.ts';
import { uniform } from '../tensor/ops/random.ts';
import { trainingLosses } from '../tensor/ops/trainingLoss.ts';
import { readFloats } from '../tensor/read.ts';
import type { SavedTensor, Saving } from './trainingState.ts';

/** What is remembered from look to look. */
export interface WatchMemory {
  /** The highest accuracy under PGD so far. */
  readonly best: number;
  readonly isCollapsed: boolean;
  /** By which the schedule's learning rate is multiplied. */
  readonly rateFactor: number;
}

const unbegun: WatchMemory = { best: 0, isCollapsed: false, rateFactor: 1 };

export interface Look {
  readonly record: WatchRecord;
  /** Since the look before. */
  readonly hasCollapsed: boolean;
  /** More withstand PGD than half as many as at best: weights that training may go back to. */
  readonly isSound: boolean;
}

/**
 * Catastrophic overfitting (Wong, Rice & Kolter, 2020): the network withstands one step and nothing more. It is told where the
 * accuracy under FGSM lies above that under PGD by the plan's gap, and that under PGD is at most half of its best (`isCollapse`).
 */
export class CollapseWatch implements Saving {
  memory = unbegun;
  /** The newest state that was found well, where the plan goes back to it. */
  good: ReadonlyMap<string, SavedTensor> | null = null;
  /** Its step; −1 where there is none. */
  goodStep = -1;
  readonly plan: WatchPlan;
  readonly #threat: ThreatPlan;
  readonly #network: Network;
  readonly #dataset: Dataset;
  readonly #held: Split;
  readonly #lossOf: (typeof trainingLosses)['cross-entropy'];
  readonly #seed: number;

  constructor({ seed, training }: Plan, watch: WatchPlan, threat: ThreatPlan, network: Network, dataset: Dataset) {
    this.plan = watch;
    this.#seed = seed;
    this.#threat = threat;
    this.#network = network;
    this.#lossOf = trainingLosses[training.loss ?? 'cross-entropy'];
    this.#held = dataset.validation ?? dataset.train;
    this.#dataset = { ...dataset, test: this.#held };
  }

  /** On the first samples that are kept back, or of those trained on, without augmentation, where none are. */
  async look(step: number): Promise<Look> {
    const { samples, steps } = this.plan;
    const fgsm = await this.#accuracyUnder('fgsm', {});
    const pgd = await this.#accuracyUnder('pgd', { steps, restarts: 1, loss: 'cross-entropy' });
    const cosine = await this.#cosine(step);
    const { best, isCollapsed: wasCollapsed } = this.memory;
    const isCollapsed = isCollapse({ fgsm, pgd, best, gap: this.plan.gap });
    this.memory = { ...this.memory, best: Math.max(best, pgd), isCollapsed };
    const of = this.#dataset.validation ? 'validation' : 'training';
    const nSamples = Math.min(samples, this.#held.nSamples);
    return {
      record: { type: 'watch', step, samples: nSamples, of, fgsm, pgd, cosine },
      hasCollapsed: isCollapsed && !wasCollapsed,
      isSound: pgd > this.memory.best / 2,
    };
  }

  async #accuracyUnder(attack: 'fgsm' | 'pgd', given: Readonly<Record<string, unknown>>): Promise<number> {
    const { norm, epsilon } = this.#threat;
    const { samples } = this.plan;
    const context = { trainedEpsilon: null, testSamples: this.#held.nSamples };
    const size = { samples: Math.min(samples, this.#held.nSamples), batchSize: samples };
    const evaluation = completeEvaluation(attack, { norm, epsilon, ...given, ...size }, context);
    // A look is short: it is never broken off, so that a run that is stopped has made it.
    const { signal } = new AbortController();
    const running = evaluateAttack(this.#network, this.#dataset, evaluation, { seed: this.#seed, signal });
    for (;;) {
      const { value, done } = await running.next();
      if (done) return value.robust / value.samples;
    }
  }

  /** Mean cos(∇ₓ ℓ(x), ∇ₓ ℓ(x + η)), η ~ U(−ε, ε) (Andriushchenko & Flammarion, 2020); 1 where no gradient is other than 0. */
  async #cosine(step: number): Promise<number> {
    const nSamples = Math.min(this.plan.samples, this.#held.nSamples);
    const read = await this.#held.read(consecutive(0, nSamples));
    const { images, labels } = makeBatch(read, this.#dataset.sampleShape);
    const space = attackSpace(this.#network, this.#dataset);
    const { epsilon } = this.#threat;
    const key = { seed: this.#seed, stream: randomStreams.watch, counter: step };
    const cosines = tf.tidy(() => {
      const x = space.enter<tf.Tensor>(images);
      const there = tf.add(x, uniform(x.shape, -epsilon, epsilon, key));
      const lossOf = (logits: tf.Tensor2D) => this.#lossOf(logits, labels);
      const [g, h] = [x, there].map((at) =>
        tf.reshape(inputGradient(space.network, at, lossOf, { mode: 'inference', key: null }).gradient, [nSamples, -1]),
      );
      const dots = tf.sum(tf.mul(g!, h!), 1);
      return readFloats(tf.div(dots, tf.mul(tf.norm(g!, 2, 1), tf.norm(h!, 2, 1))));
    });
    space.dispose();
    tf.dispose([images, labels]);
    const usable = cosines.filter((value) => Number.isFinite(value));
    return usable.length === 0 ? 1 : usable.reduce((sum, value) => sum + value, 0) / usable.length;
  }

  /** Part of a run's state. */
  saved(): Map<string, SavedTensor> {
    const { best, isCollapsed, rateFactor } = this.memory;
    const tensors = new Map<string, SavedTensor>();
    const numbers = Float32Array.of(best, isCollapsed ? 1 : 0, rateFactor, this.goodStep);
    tensors.set('watch/memory', { shape: [numbers.length], values: numbers });
    for (const [name, tensor] of this.good ?? []) tensors.set(`watch/good/${name}`, tensor);
    return tensors;
  }

  restore(tensors: ReadonlyMap<string, SavedTensor>): void {
    const [best = 0, collapsed = 0, rateFactor = 1, goodStep = -1] = tensors.get('watch/memory')?.values ?? [];
    this.memory = { best, isCollapsed: collapsed === 1, rateFactor };
    const prefix = 'watch/good/';
    const good = [...tensors].filter(([name]) => name.startsWith(prefix));
    this.goodStep = goodStep;
    this.good = good.length === 0 ? null : new Map(good.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
}

/**
 * What never withstood many steps has nothing to lose yet: on few images the gap opens by chance in the first steps of training, so
 * there it must be three times as wide.
 * @param gap the least by which one step must be withstood more often than many, as a share of the images
 */
export function isCollapse({
  fgsm,
  pgd,
  best,
  gap,
}: Readonly<Record<'fgsm' | 'pgd' | 'best' | 'gap', number>>): boolean {
  return fgsm - pgd >= (best >= gap ? gap : 3 * gap) && pgd <= best / 2;
}
