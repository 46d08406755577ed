// What the runs that did parts of an evaluation found, read from their folders and put together.
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KeptBatch } from '../attack/keptImages.ts';
import { mergeParts, type Merged } from '../attack/parts.ts';
import { isAttackPlan, keptImages, type EvaluationPlan } from '../protocol/evaluationPlan.ts';
import type { RunRecord } from '../protocol/records.ts';
import { attackedImagesName, readAttackedImages } from './attackedImages.ts';
import { checkpointsFolder } from './runFolder.ts';
import { RunHistory } from './runHistory.ts';

export interface MergedParts {
  readonly merged: Merged;
  /** The images that are kept, all of which the first part has; null for none. */
  readonly kept: KeptBatch | null;
}

/**
 * @param folders of the runs, in the order of the images @param step of the weights
 * @returns null where one of them has not come to its end, or there is none @throws StorageError
 */
export function mergedParts(folders: readonly string[], evaluation: EvaluationPlan, step: number): MergedParts | null {
  if (!isAttackPlan(evaluation)) return null;
  const parts = folders.map((folder) => partOf(folder, evaluation, step));
  const merged = mergeParts(parts.map(({ records }) => records));
  if (!merged) return null;
  const images = attackedImagesName(step, parts[0]!.number);
  return { merged, kept: keptOf(path.join(checkpointsFolder(folders[0]!), images), evaluation) };
}

interface Part {
  /** Of the evaluation within the run; 0 where it has none. */
  readonly number: number;
  readonly records: readonly RunRecord[];
}

/** Of that evaluation of those weights, made last. */
function partOf(folder: string, evaluation: EvaluationPlan, step: number): Part {
  const history = new RunHistory(folder);
  let records: RunRecord[] = [];
  let number = 0;
  try {
    history.forEachRow(0, ({ record }) => {
      if (!('evaluation' in record)) return;
      if (record.type === 'evaluationStarted') {
        const isWanted = record.step === step && isDeepStrictEqual(record.plan, evaluation);
        if (isWanted && record.from === undefined) records = [];
        if (isWanted) number = record.evaluation;
      }
      if (record.evaluation === number) records.push(record);
    });
  } finally {
    history.close();
  }
  return { number, records };
}

function keptOf(file: string, evaluation: EvaluationPlan): KeptBatch | null {
  const count = keptImages(evaluation);
  if (count === 0 || !fs.existsSync(file)) return null;
  return readAttackedImages(file, { first: 0, count });
}
