// The audit of an evaluation: is there a sign that the network was not really attacked? Every flag is a file here and a line in this list.
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { consecutiveBatches, makeBatch, readAhead } from '../../data/batches.ts';
import type { Dataset } from '../../data/split.ts';
import type { Network } from '../../model/network.ts';
import type { AttackPlan } from '../../protocol/evaluationPlan.ts';
import type { AuditFlag } from '../../protocol/records.ts';
import { readIntegers } from '../../tensor/read.ts';
import { attackSpace } from '../space.ts';
import { Target } from '../target.ts';
import { batchDependent } from './batchDependent.ts';
import { blackBox } from './blackBox.ts';
import { epsilonScale } from './epsilonScale.ts';
import { labelLeak } from './labelLeak.ts';
import { nonSmooth } from './nonSmooth.ts';
import { ownSurrogate } from './ownSurrogate.ts';
import { random } from './random.ts';
import { restarts } from './restarts.ts';
import { roughness } from './roughness.ts';
import { singleStep } from './singleStep.ts';
import { steps } from './steps.ts';
import type { Check, Suspect } from './suspect.ts';
import { unbounded } from './unbounded.ts';
import { zeroGradients } from './zeroGradients.ts';

const checks: readonly Check[] = [
  ...[random, batchDependent, nonSmooth, zeroGradients, roughness, steps, restarts],
  ...[singleStep, blackBox, unbounded, labelLeak, epsilonScale, ownSurrogate],
];

/** Images that are looked at again. */
const nAudited = 100;

interface AuditOptions extends Pick<Suspect, 'samples' | 'robust' | 'std' | 'activations' | 'seed' | 'isOwnSurrogate'> {
  /** Of all images. */
  readonly outcomes: Uint8Array;
  readonly signal: AbortSignal;
}

/** @returns null where it was stopped on its way */
export async function auditEvaluation(
  network: Network,
  dataset: Dataset,
  plan: AttackPlan,
  { outcomes, signal, ...known }: AuditOptions,
): Promise<AuditFlag[] | null> {
  const n = Math.min(nAudited, outcomes.length);
  const space = attackSpace(network, dataset);
  const flags: AuditFlag[] = [];
  try {
    for await (const samples of readAhead(dataset.test, consecutiveBatches(n, n))) {
      const { images: asRead, labels } = makeBatch(samples, dataset.sampleShape);
      const images = space.enter(asRead);
      const suspect: Suspect = {
        ...{ ...known, plan, images, labels: readIntegers(labels), bounds: space.bounds },
        target: new Target(space.network, {
          ...{ nClasses: dataset.classes.length, shape: dataset.sampleShape, passes: { forward: 0, backward: 0 } },
        }),
        outcomes: outcomes.slice(0, n),
      };
      tf.dispose([asRead, labels]);
      try {
        for (const check of checks) {
          await nextTurn();
          if (signal.aborted) return null;
          const flag = check(suspect);
          if (flag) flags.push(flag);
        }
      } finally {
        images.dispose();
      }
    }
  } finally {
    space.dispose();
  }
  return flags;
}
