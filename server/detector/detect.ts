// An evaluation by a detector: it learns from training images, then is tried on test images and on what each attack makes of them. The
// attacks do not know of it, so what it says is no more than that.
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { EvaluateAttackOptions, EvaluationCounts, Progress } from '../attack/evaluation.ts';
import { areCorrect, countTrue } from '../attack/predictions.ts';
import { sampleBatches, targetIn } from '../attack/sampleBatches.ts';
import { attackSpace, type AttackSpace } from '../attack/space.ts';
import type { Target } from '../attack/target.ts';
import type { Dataset, Split } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { epsilonText } from '../protocol/attackFigures.ts';
import { detectorTable, type DetectorName, type PlanOfDetector } from '../protocol/detectorTable.ts';
import { completeEvaluation, evaluationTitle, type AttackPlan, type DetectorPlan } from '../protocol/evaluationPlan.ts';
import type { Detection } from '../protocol/records.ts';
import { DetectorError, type Detector, type Features, type Scorer } from './detector.ts';
import { detectors } from './detectors.ts';
import { featuresOf, joined, rowsWhere } from './features.ts';
import { foolingImages } from './fooling.ts';

export interface DetectOptions extends Pick<EvaluateAttackOptions, 'seed' | 'signal' | 'from'> {
  /** That it is tried against. */
  readonly attacks: readonly AttackPlan[];
  /** That transfers among them make their images on, by their places. */
  readonly surrogates: ReadonlyMap<string, Network>;
}

/** Yields counts after each batch of test images; when the signal aborts, ends soon with those of the batches that are done. */
export async function* detect(
  network: Network,
  dataset: Dataset,
  plan: DetectorPlan,
  { seed: ofRun, signal, from, attacks, surrogates: networks }: DetectOptions,
): AsyncGenerator<Progress, EvaluationCounts> {
  const space = attackSpace(network, dataset);
  const target = targetIn(space, dataset, from?.passes);
  const seed = (ofRun + plan.seed) >>> 0;
  const spaces = new Map([...networks].map(([place, beside]) => [place, attackSpace(beside, dataset)]));
  const surrogates = new Map([...spaces].map(([place, beside]) => [place, target.beside(beside.network)]));
  const look: Look = { network, dataset, space, target, surrogates, plan, seed, signal };
  const nSamples = Math.min(plan.samples, dataset.test.nSamples);
  const outcomes = new Uint8Array(nSamples);
  if (from) outcomes.set(from.outcomes);
  const done = { samples: from?.samples ?? 0, clean: from?.clean ?? 0 };
  const standing = () => outcomes.subarray(0, done.samples).filter((outcome) => outcome === 2).length;
  let detections: readonly Detection[] =
    from?.detections ??
    attacks.map((attack) => ({
      against: `${evaluationTitle(attack)} ${epsilonText(attack)}`,
      ...{ clean: new Float32Array(), attacked: new Float32Array() },
    }));
  let passes = { ...target.passes };
  const ended = (isPartial: boolean): EvaluationCounts => ({
    ...{ ...done, robust: standing(), passes, isPartial, thesis: null },
    outcomes: outcomes.slice(0, done.samples),
  });
  try {
    const learnt = await learn(look);
    if (!learnt) return ended(true);
    const { score, threshold } = learnt;
    // What learning took comes again where an evaluation goes on, and counts once.
    if (from) Object.assign(target.passes, from.passes);
    for await (const batch of batchesOf(look, dataset.test, nSamples, done.samples)) {
      const { images, labels, isRight } = batch;
      if (signal.aborted) return ended(true);
      const clean = score(featuresOf(network, space, images, plan.depth));
      const ofBatch = Uint8Array.from(isRight, (right) => (right ? 2 : 0));
      const ofRight = clean.filter((_, row) => isRight[row]);
      const found: Detection[] = [];
      for (const [index, attack] of attacks.entries()) {
        const fooled = await pull(foolingImages(attack, { ...look, ...batch, bounds: space.bounds }), signal);
        if (!fooled) return ended(true);
        const rows = [...fooled.keys()];
        const attacked = rows.length === 0 ? new Float32Array() : score(featuresOfValues(look, [...fooled.values()]));
        rows.forEach((row, at) => {
          if (!(attacked[at]! > threshold)) ofBatch[row] = 1;
        });
        const before = detections[index]!;
        found.push({
          against: before.against,
          clean: Float32Array.of(...before.clean, ...ofRight),
          attacked: Float32Array.of(...before.attacked, ...attacked),
        });
      }
      detections = found;
      outcomes.set(ofBatch, batch.first);
      done.samples += labels.length;
      done.clean += countTrue(isRight);
      passes = { ...target.passes };
      yield {
        ...{ restart: 0, samples: done.samples, clean: done.clean, robust: Int32Array.of(standing()), passes },
        ...{ detections, outcomes: ofBatch },
      };
    }
    return ended(false);
  } finally {
    space.dispose();
    for (const beside of spaces.values()) beside.dispose();
  }
}

interface Look {
  readonly network: Network;
  readonly dataset: Dataset;
  readonly space: AttackSpace;
  readonly target: Target;
  readonly surrogates: ReadonlyMap<string, Target>;
  readonly plan: DetectorPlan;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** From the first training images, and a threshold from those behind them. Null where it was stopped. */
async function learn(look: Look): Promise<{ score: Scorer; threshold: number } | null> {
  const { network, dataset, space, plan, seed, signal } = look;
  const { norm, epsilon, fit, depth } = plan;
  const nAll = Math.min(dataset.train.nSamples, Math.ceil(1.5 * fit));
  const nFit = Math.ceil((2 * nAll) / 3);
  const lesson = completeEvaluation(
    'pgd',
    { norm, epsilon, steps: 10, restarts: 1 },
    { trainedEpsilon: null, testSamples: null },
  );
  const [clean, attacked, kept]: [Features[], Features[], Features[]] = [[], [], []];
  const labels: number[] = [];
  for await (const batch of batchesOf(look, dataset.train, nAll, 0)) {
    if (signal.aborted) return null;
    const isFit = batch.isRight.map((right, row) => right && batch.first + row < nFit);
    const isKept = batch.isRight.map((right, row) => right && batch.first + row >= nFit);
    const features = featuresOf(network, space, batch.images, depth);
    clean.push(rowsWhere(features, isFit));
    kept.push(rowsWhere(features, isKept));
    labels.push(...batch.labels.filter((_, row) => isFit[row]));
    if (plan.attack !== 'metzen') continue;
    const fooled = await pull(foolingImages(lesson, { ...look, ...batch, bounds: space.bounds }), signal);
    if (!fooled) return null;
    const images = [...fooled].filter(([row]) => isFit[row]).map(([, image]) => image);
    if (images.length > 0) attacked.push(featuresOfValues(look, images));
  }
  const all = joined(clean);
  const thresholds = joined(kept);
  const nothing = all.values.length === 0 ? [0, nFit] : thresholds.values.length === 0 ? [nFit, nAll] : null;
  if (nothing) {
    const [first, end] = nothing as [number, number];
    throw new DetectorError(
      `The ${detectorTable[plan.attack].name} has nothing to ${first === 0 ? 'learn' : 'take a threshold'} from: the network is right about none of the training images ${String(first + 1)} to ${String(end)}. Train it further, or raise fit.`,
    );
  }
  const lessons = {
    ...{ clean: all, labels: Int32Array.from(labels), nClasses: dataset.classes.length, seed },
    attacked: attacked.length > 0 ? joined(attacked) : { values: new Float32Array(), width: all.width },
  };
  const score = await pull(begin(lessons, plan), signal);
  if (!score) return null;
  const scores = score(thresholds).sort();
  return { score, threshold: scores[Math.ceil((1 - plan.falseAlarms) * scores.length) - 1]! };
}

function begin<D extends DetectorName>(
  lessons: Parameters<Detector<D>>[0],
  plan: DetectorPlan,
): ReturnType<Detector<D>> {
  return detectors[plan.attack as D](lessons, plan as unknown as PlanOfDetector<D>);
}

/** Null where it was stopped on its way. */
async function pull<T>(work: Generator<void, T, void>, signal: AbortSignal): Promise<T | null> {
  for (;;) {
    const { value, done } = work.next();
    if (done) return value;
    await nextTurn();
    if (!signal.aborted) continue;
    work.return(undefined as T);
    return null;
  }
}

/** Batches of a split, with what the network is right about. */
async function* batchesOf({ dataset, space, target, plan }: Look, split: Split, end: number, from: number) {
  const options = { space, sampleShape: dataset.sampleShape, batchSize: plan.batchSize, end, from };
  for await (const batch of sampleBatches(split, options)) {
    yield { ...batch, isRight: areCorrect(target.logits(batch.images), batch.labels) };
  }
}

function featuresOfValues({ network, space, plan, target }: Look, images: readonly Float32Array[]): Features {
  const values = new Float32Array(images.length * images[0]!.length);
  images.forEach((image, row) => {
    values.set(image, row * image.length);
  });
  const tensor = tf.tensor(values, [images.length, ...target.shape]);
  try {
    return featuresOf(network, space, tensor, plan.depth);
  } finally {
    tensor.dispose();
  }
}
