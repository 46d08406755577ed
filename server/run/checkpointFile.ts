// A training state as a `.safetensors` file: weights, optimizer and counters, with the plan in its metadata.
import path from 'node:path';
import { z } from 'zod';
import type { CheckpointOrigin } from '../protocol/checkpoint.ts';
import type { Plan } from '../protocol/plan.ts';
import { BadCheckpointError, SafetensorsFile, writeSafetensors } from './safetensors.ts';
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

/** @throws BadCheckpointError where the file is damaged or was not written by Kafscope. */
export function readCheckpoint(file: string): { state: TrainingState; origin: CheckpointOrigin } {
  const stored = new SafetensorsFile(file);
  try {
    const origin = checkpointOrigin(stored);
    if (!origin) {
      throw new BadCheckpointError(
        `${file} was not written by Kafscope, so there is no plan to build its network from. Take a checkpoint from a run's checkpoints folder.`,
      );
    }
    const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const tensor of stored.tensors) {
      if (tensor.dtype !== 'F32') {
        throw new BadCheckpointError(`${file}: tensor "${tensor.name}" should be F32, it is ${tensor.dtype}.`);
      }
      tensors.set(tensor.name, { shape: tensor.shape, values: new Float32Array(stored.read(tensor).buffer) });
    }
    return { state: { step: origin.step, epoch: origin.epoch, tensors }, origin };
  } finally {
    stored.close();
  }
}

const metadataSchema = z.object({
  plan: z.string().transform((text) => JSON.parse(text) as Plan),
  step: z.coerce.number().int().min(0),
  epoch: z.coerce.number().int().min(0),
  runId: z.string(),
  versions: z.string().transform((text) => JSON.parse(text) as Record<string, string>),
});

/** Null for a file of another program. @throws BadCheckpointError where our own metadata is damaged. */
export function checkpointOrigin(stored: SafetensorsFile): CheckpointOrigin | null {
  if (stored.metadata.format !== format) return null;
  try {
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
