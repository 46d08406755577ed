// Where the network lies that an attack by transfer makes its images on, and what is read of it: a checkpoint, which is data alone.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRunId } from '../protocol/attackKey.ts';
import type { SurrogateOrigin } from '../protocol/records.ts';
import { SurrogateError, type Surrogate, type Surrogates } from '../trainer/surrogate.ts';
import type { TrainingState } from '../trainer/trainingState.ts';
import { checkpointName, readCheckpoint } from './checkpointFile.ts';
import { checkpointsFolder, isRunFolder } from './runFolder.ts';
import { glance } from './runGlance.ts';

interface OpenSurrogateOptions {
  /** Where ids of runs, and paths that are not absolute, start. */
  readonly runsFolder: string;
  /** Of an evaluation that goes on, what its images were made on before; null for a new one. */
  readonly before: SurrogateOrigin | null;
}

/** Each by its place. @param before of the same places, of an evaluation that goes on. @throws as `openSurrogate` */
export function openSurrogates(
  places: readonly string[],
  { runsFolder, before }: { readonly runsFolder: string; readonly before: readonly SurrogateOrigin[] },
): Surrogates {
  return new Map(
    places.map((from, index) => [from, openSurrogate(from, { runsFolder, before: before[index] ?? null })]),
  );
}

/**
 * Of a run its newest weights, or those that an evaluation began with.
 * @throws SurrogateError where there is nothing, or other weights than before; BadCheckpointError | StorageError
 */
export function openSurrogate(from: string, { runsFolder, before }: OpenSurrogateOptions): Surrogate {
  const file = surrogateFile(from, { runsFolder, before });
  const { state, origin } = readCheckpoint(file);
  const found = { runId: origin.runId, step: origin.step, digest: digestOf(state) };
  if (before && before.digest !== found.digest) {
    throw new SurrogateError(
      `transfer: ${file} has other weights than those that the first images of this evaluation were made on (step ${String(before.step)} of ${before.runId}). Bring these back, or start a new evaluation.`,
    );
  }
  return { file, plan: origin.plan, state, origin: found };
}

/** @throws SurrogateError where nothing is there; StorageError */
function surrogateFile(from: string, { runsFolder, before }: OpenSurrogateOptions): string {
  const home = /^~[/\\]/.test(from) ? path.join(os.homedir(), from.slice(2)) : from;
  const place = path.resolve(runsFolder, home);
  if (!fs.existsSync(place)) {
    const remedy = isRunId(from)
      ? `Name a run in ${runsFolder}, or the path of a run's folder or of a checkpoint.`
      : "Name a run's folder or a checkpoint.";
    throw new SurrogateError(`transfer: ${place}, which the images are to be made on, does not exist. ${remedy}`);
  }
  if (!isRunFolder(place)) return place;
  if (before) {
    const file = path.join(checkpointsFolder(place), checkpointName(before.step));
    if (fs.existsSync(file)) return file;
    throw new SurrogateError(
      `transfer: ${file}, which the first images of this evaluation were made on, is gone. Bring it back, or start a new evaluation.`,
    );
  }
  const newest = glance(place).summary.checkpoints.at(-1);
  if (newest) return path.join(checkpointsFolder(place), newest.file);
  throw new SurrogateError(`transfer: the run ${place} has no checkpoint yet. Train it first, or name another.`);
}

/** Of weights and statistics: 128 bits of SHA-256. */
function digestOf({ tensors }: TrainingState): string {
  const hash = crypto.createHash('sha256');
  for (const [name, { shape, values }] of tensors) {
    if (!/^(model|average)\//.test(name)) continue;
    hash.update(`${name} [${shape.join()}]\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}
