// An evaluation by the worst-case protocol: batch by batch, restart by restart, with what stands after every step. An image
// counts as robust only if it is right clean and under every step of every restart (each image has its own worst restart).
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { consecutiveBatches, makeBatch, readAhead } from '../data/batches.ts';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { randomStreams } from '../model/randomStreams.ts';
import type { AttackProgressRecord } from '../protocol/records.ts';
import { attackOnce, selectCorrect, type PgdSettings } from './pgd.ts';
import type { ColumnUnits } from './threatBall.ts';

export interface PgdEvaluation extends PgdSettings {
  readonly restarts: number;
  /** The first so many test images (all, where there are fewer). */
  readonly samples: number;
  readonly batchSize: number;
}

/** Over the batches on which every restart was done. */
export interface PgdCounts {
  readonly samples: number;
  readonly clean: number;
  readonly robust: number;
  readonly isPartial: boolean;
}

/**
 * Attacks the first test images. Yields counts after each restart on each batch; when the signal aborts, ends after the step at
 * hand with the counts of the batches that are done.
 */
export async function* evaluatePgd(
  network: Network,
  dataset: Dataset,
  evaluation: PgdEvaluation,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): AsyncGenerator<Omit<AttackProgressRecord, 'type' | 'evaluation'>, PgdCounts> {
  const units = columnUnits(dataset);
  try {
    return yield* attackBatches(network, dataset, evaluation, { seed, signal, units });
  } finally {
    units?.dispose();
  }
}

/** The caller disposes. */
export function columnUnits({ columns }: Dataset): ColumnUnits {
  return columns && tf.tensor1d([...columns.std]);
}

async function* attackBatches(
  network: Network,
  dataset: Dataset,
  evaluation: PgdEvaluation,
  { seed, signal, units }: { readonly seed: number; readonly signal: AbortSignal; readonly units: ColumnUnits },
): ReturnType<typeof evaluatePgd> {
  const { restarts, steps, batchSize } = evaluation;
  const nSamples = Math.min(evaluation.samples, dataset.test.nSamples);
  const robustByStep = Array.from({ length: restarts }, () => new Int32Array(steps + 1));
  const totals = { samples: 0, clean: 0, robust: 0 };
  for await (const batch of readAhead(dataset.test, consecutiveBatches(nSamples, batchSize))) {
    const first = totals.samples;
    const nRows = batch.labels.length;
    const { images, labels } = makeBatch(batch, dataset.sampleShape);
    let standing = selectCorrect(network, images, labels.dataSync<'int32'>().slice());
    tf.dispose([images, labels]);
    const nClean = standing.rows.length;
    for (let restart = 0; restart < restarts; restart++) {
      const key = { seed, stream: randomStreams.evaluationAttack + restart, counter: first };
      const attack = attackOnce(network, standing, evaluation, { key, nRows, units });
      for (let step = 0; ; step++) {
        await nextTurn();
        if (signal.aborted) {
          attack.return(standing);
          tf.dispose(standing.images);
          return { ...totals, isPartial: true };
        }
        const looked = attack.next();
        if (looked.done) {
          standing = looked.value;
          break;
        }
        robustByStep[restart]![step]! += looked.value;
      }
      yield { restart, samples: first + nRows, robust: robustByStep[restart]!.slice() };
    }
    totals.samples += nRows;
    totals.clean += nClean;
    totals.robust += standing.rows.length;
    standing.images.dispose();
  }
  return { ...totals, isPartial: false };
}
