// A training state as a `.safetensors` file: weights, optimizer and counters, with the plan in its metadata.
import path from 'node:path';
import { z } from 'zod';
import { completePlan } from '../experiment/planSchema.ts';
import type { CheckpointOrigin } from '../protocol/checkpoint.ts';
import {
  BadCheckpointError,
  digestKeys,
  partBytes,
  SafetensorsFile,
  startDigest,
  writeSafetensors,
} from './safetensors.ts';
import type { StoredTensor } from './safetensors.ts';
import type { TrainingState } from '../trainer/trainingState.ts';

const format = 'kafscope';

export function checkpointName(step: number): string {
  return `step-${String(step)}.safetensors`;
}

/** @throws StorageError */
export function writeCheckpoint(
  file: string,
  state: TrainingState,
  origin: Omit<CheckpointOrigin, 'step' | 'epoch'>,
): void {
  writeSafetensors(file, state.tensors, {
    format,
    plan: JSON.stringify(origin.plan),
    step: String(state.step),
    epoch: String(state.epoch),
    runId: origin.runId,
    versions: JSON.stringify(origin.versions),
  });
}

/** @throws BadCheckpointError where the file is damaged or was not written by Kafscope; a damaged tensor is named. */
export function readCheckpoint(file: string): { state: TrainingState; origin: CheckpointOrigin } {
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const origin = checkTensors(file, (stored, tensor) => {
    const bytes = stored.read(tensor);
    tensors.set(tensor.name, { shape: tensor.shape, values: new Float32Array(bytes.buffer) });
    return digestOf([bytes]);
  });
  return { state: { step: origin.step, epoch: origin.epoch, tensors }, origin };
}

/** As `readCheckpoint`, without keeping the tensors. @throws BadCheckpointError naming the tensor that is damaged. */
export function verifyCheckpoint(file: string): void {
  const buffer = new Uint8Array(partBytes);
  checkTensors(file, (stored, tensor) => digestOf(stored.readParts(tensor, buffer)));
}

/** @param digest reads a tensor and gives its digest */
function checkTensors(
  file: string,
  digest: (stored: SafetensorsFile, tensor: StoredTensor) => string,
): CheckpointOrigin {
  const stored = new SafetensorsFile(file);
  try {
    const digests = stored.readDigests();
    const origin = checkpointOrigin(stored);
    if (!origin) {
      throw new BadCheckpointError(
        `${file} was not written by Kafscope, so there is no plan to build its network from. Take a checkpoint from a run's checkpoints folder.`,
      );
    }
    const hasDigests = digestKeys.some((key) => Object.hasOwn(stored.metadata, key));
    for (const tensor of stored.tensors) {
      if (tensor.dtype !== 'F32') {
        throw new BadCheckpointError(`${file}: tensor "${tensor.name}" should be F32, it is ${tensor.dtype}.`);
      }
      if (digest(stored, tensor) !== digests.get(tensor.name) && hasDigests) {
        throw new BadCheckpointError(
          `${file}: tensor "${tensor.name}" is damaged: its bytes do not match the digest written with it. Take an earlier checkpoint.`,
        );
      }
    }
    return origin;
  } finally {
    stored.close();
  }
}

function digestOf(parts: Iterable<Uint8Array>): string {
  const digest = startDigest();
  for (const part of parts) digest.add(part);
  return digest.end();
}

/** What is wrong with a checkpoint, as a sentence; null where it is whole. */
export function checkpointFault(file: string): string | null {
  try {
    verifyCheckpoint(file);
    return null;
  } catch (error) {
    if (error instanceof BadCheckpointError) return error.message;
    throw error;
  }
}

const metadataSchema = z.object({
  plan: z.string().transform((text) => completePlan(JSON.parse(text))),
  step: z.coerce.number().int().min(0),
  epoch: z.coerce.number().int().min(0),
  runId: z.string().max(255),
  versions: z
    .string()
    .max(10_000)
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.record(z.string(), z.string())),
});

const knownKeys: ReadonlySet<string> = new Set(['format', ...Object.keys(metadataSchema.shape), ...digestKeys]);

/** Null for a file of another program. @throws BadCheckpointError where our own metadata is damaged. */
export function checkpointOrigin(stored: SafetensorsFile): CheckpointOrigin | null {
  if (stored.metadata.format !== format) return null;
  try {
    // A key that is neither ours nor a digest's may be one of a digest with a bit flipped: then there would be nothing to check.
    const unknown = Object.keys(stored.metadata).find((key) => !knownKeys.has(key));
    if (unknown !== undefined) throw new Error(`unknown key ${unknown}`);
    return metadataSchema.parse(stored.metadata);
  } catch (error) {
    throw new BadCheckpointError(
      `${path.basename(stored.file)}: its Kafscope metadata is damaged. Take another checkpoint.`,
      {
        cause: error,
      },
    );
  }
}
