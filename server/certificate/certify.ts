// An evaluation by a certificate: batch by batch, with the radius of every image so far. Its counts are those of an attack's records:
// certified is what stands.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EvaluateAttackOptions, EvaluationCounts, Progress } from '../attack/evaluation.ts';
import { areCorrect, countTrue } from '../attack/predictions.ts';
import { sampleBatches, targetIn } from '../attack/sampleBatches.ts';
import { attackSpace } from '../attack/space.ts';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import type { LayerLayout } from '../network/layout.ts';
import type { CertificatePlan } from '../protocol/evaluationPlan.ts';
import type { LayerBound } from '../protocol/records.ts';
import type { CertificateName, PlanOfCertificate } from '../protocol/certificateTable.ts';
import type { Affine, Certificate, Certifier, Subject, Verdicts } from './certificate.ts';
import { certificates } from './certificates.ts';

export interface CertifyOptions extends Pick<EvaluateAttackOptions, 'seed' | 'signal' | 'from'> {
  readonly layouts: readonly LayerLayout[];
  /** Of the network's first layer; null for none. */
  readonly normalization: Affine | null;
  /** Done before the weights were as they are. */
  readonly epoch: number;
}

/**
 * Certifies the first test images. Yields counts after each batch, and after images that take long; when the signal aborts, ends
 * soon with the counts of the batches that are done.
 */
export async function* certify(
  network: Network,
  dataset: Dataset,
  plan: CertificatePlan,
  { seed, signal, from, layouts, normalization, epoch }: CertifyOptions,
): AsyncGenerator<Progress, EvaluationCounts> {
  const space = attackSpace(network, dataset);
  const target = targetIn(space, dataset, from?.passes);
  const subject: Subject = {
    ...{ target, network, layouts, normalization, epoch, bounds: space.bounds },
    seed: (seed + ('seed' in plan ? plan.seed : 0)) >>> 0,
  };
  const nSamples = Math.min(plan.samples, dataset.test.nSamples);
  const all = { radii: new Float32Array(nSamples), outcomes: new Uint8Array(nSamples) };
  if (from?.distances) all.radii.set(from.distances);
  if (from) all.outcomes.set(from.outcomes);
  const done = { samples: from?.samples ?? 0, clean: from?.clean ?? 0 };
  let passes = { ...target.passes };
  const certified = (samples: number) => all.outcomes.subarray(0, samples).filter((outcome) => outcome === 2).length;
  const ended = (isPartial: boolean): EvaluationCounts => ({
    ...{ ...done, robust: certified(done.samples), passes, isPartial, thesis: null },
    outcomes: all.outcomes.slice(0, done.samples),
  });
  let certifier: Certifier | null = null;
  try {
    let layers: readonly LayerBound[] = [];
    const counts = (samples: number, clean: number): Progress => ({
      ...{ restart: 0, samples, clean, robust: Int32Array.of(certified(samples)), passes: { ...target.passes } },
      ...(layers.length > 0 && { layers }),
    });
    const opening = begin(subject, plan);
    for (let step = opening.next(); ; step = opening.next()) {
      if (step.done) {
        certifier = step.value;
        ({ layers } = certifier);
        break;
      }
      await nextTurn();
      if (signal.aborted) return ended(true);
      if (step.value.length <= layers.length) continue;
      layers = [...step.value];
      yield counts(done.samples, done.clean);
    }
    const { sampleShape, test } = dataset;
    const batches = { space, sampleShape, batchSize: certifier.batchSize, end: nSamples, from: done.samples };
    for await (const { images, labels, first } of sampleBatches(test, batches)) {
      const nRows = labels.length;
      const logits = target.logits(images);
      const isRight = areCorrect(logits, labels);
      const clean = (n: number) => done.clean + countTrue(isRight.slice(0, n));
      const verdicts: Verdicts = { nDone: 0, radii: new Float64Array(nRows), outcomes: new Uint8Array(nRows) };
      let told = 0;
      for (const _ of certifier.certify({ images, labels, logits, first }, verdicts)) {
        await nextTurn();
        if (signal.aborted) return ended(true);
        if (verdicts.nDone === told || verdicts.nDone === nRows) continue;
        told = verdicts.nDone;
        all.outcomes.set(verdicts.outcomes, first);
        yield counts(first + told, clean(told));
      }
      all.radii.set(verdicts.radii, first);
      all.outcomes.set(verdicts.outcomes, first);
      done.samples += nRows;
      done.clean = clean(nRows);
      passes = { ...target.passes };
      const distances = all.radii.slice(0, done.samples);
      yield { ...counts(done.samples, done.clean), distances, outcomes: verdicts.outcomes };
    }
    return ended(false);
  } finally {
    certifier?.dispose();
    space.dispose();
  }
}

function begin<C extends CertificateName>(subject: Subject, plan: CertificatePlan): ReturnType<Certificate<C>> {
  const certificate = plan.attack as C;
  return certificates[certificate](subject, plan as unknown as PlanOfCertificate<C>);
}
