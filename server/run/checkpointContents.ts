// What a `.safetensors` file holds, tensor by tensor, with statistics and the curves of KAFs and splines in it. Works for any program's
// file, of any size: tensors are read part by part, and the answer is bounded.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeExperiment } from '../experiment/writeExperiment.ts';
import type { CheckpointContents, TensorContents } from '../protocol/checkpoint.ts';
import { activationsOf } from '../network/activations.ts';
import type { ActivationPlan, Plan } from '../protocol/plan.ts';
import { CurveReader } from './checkpointCurves.ts';
import { checkpointOrigin } from './checkpointFile.ts';
import { partBytes, SafetensorsFile, startDigest } from './safetensors.ts';
import type { StoredTensor, UnreadTensor } from './safetensors.ts';
import { FirstRound } from './tensorFigures.ts';
import { readValues } from './tensorValues.ts';

/** So that the answer can be sent, and shown: of the tensors so many, none whose name and shape take more bytes, and of the metadata so much. */
const maxTensors = 10_000;
const maxLabelBytes = 1000;
const maxMetadataBytes = 1 << 20;

/** Of a number that the wire's codec writes. */
const numberBytes = 9;

/** Lets other work of the process run between the parts. @throws BadCheckpointError where the file is damaged. */
export async function inspectCheckpoint(file: string): Promise<CheckpointContents> {
  const stored = new SafetensorsFile(file);
  try {
    const origin = checkpointOrigin(stored);
    const digests = stored.readDigests();
    const buffer = new Uint8Array(partBytes);
    const curves = new CurveReader({ stored, activations: origin ? activationsByLayer(origin.plan) : null, buffer });
    const tensors: TensorContents[] = [];
    for (const tensor of shownTensors(stored.tensors)) {
      tensors.push(await inspectTensor(stored, tensor, { buffer, digest: digests.get(tensor.name) }));
      curves.look(tensor);
    }
    tensors.push(...[...shownTensors(stored.unread)].slice(0, maxTensors - tensors.length).map(unread));
    const { metadata, omittedMetadata } = shownMetadata(stored.metadata);
    return {
      experiment: origin && writeExperiment(origin.plan),
      ...{ file, sizeBytes: stored.sizeBytes, origin, tensors, activations: curves.found, metadata },
      ...counted('omittedTensors', stored.tensors.length + stored.unread.length - tensors.length),
      ...counted('omittedActivations', curves.nTooLarge),
      ...counted('omittedMetadata', omittedMetadata),
    };
  } finally {
    stored.close();
  }
}

export function activationsByLayer({ model }: Plan): ReadonlyMap<string, ActivationPlan> {
  return new Map(activationsOf(model).map(({ name, activation }) => [name, activation]));
}

/** As many as an answer may tell of. */
export function* shownTensors<T extends UnreadTensor>(tensors: readonly T[]): Generator<T> {
  let count = 0;
  for (const tensor of tensors) {
    if (count === maxTensors) return;
    if (Buffer.byteLength(tensor.name) + tensor.shape.length * numberBytes > maxLabelBytes) continue;
    count++;
    yield tensor;
  }
}

async function inspectTensor(
  stored: SafetensorsFile,
  tensor: StoredTensor,
  { buffer, digest }: { buffer: Uint8Array<ArrayBuffer>; digest: string | undefined },
): Promise<TensorContents> {
  const { name, dtype, shape, sizeBytes } = tensor;
  await nextTurn();
  const seen = startDigest();
  const first = new FirstRound();
  for (const part of stored.readParts(tensor, buffer)) {
    seen.add(part);
    first.add(readValues(dtype, part));
    await nextTurn();
  }
  const second = first.end();
  const isInBuffer = sizeBytes <= buffer.length;
  for (const part of isInBuffer ? [buffer.subarray(0, sizeBytes)] : stored.readParts(tensor, buffer)) {
    second.add(readValues(dtype, part));
    await nextTurn();
  }
  const values = shape.reduce((product, size) => product * size, 1);
  const isDamaged = digest !== undefined && digest !== seen.end();
  return { name, group: groupOf(name), dtype, shape, values, ...second.end(), ...(isDamaged ? { isDamaged } : {}) };
}

/** Of a type without numbers of its own here: what its header says. */
function unread({ name, dtype, shape }: UnreadTensor): TensorContents {
  const none = Number.NaN;
  return {
    ...{ name, group: groupOf(name), dtype, shape, values: shape.reduce((product, size) => product * size, 1) },
    ...{ l2: none, min: none, max: none, mean: none, std: none, nonFinite: 0, histogram: [], isUnread: true },
  };
}

function groupOf(name: string): TensorContents['group'] {
  return (['model', 'average', 'optimizer'] as const).find((group) => name.startsWith(`${group}/`)) ?? 'other';
}

/** Entries in their order, as long as they fit. */
function shownMetadata(metadata: Readonly<Record<string, string>>): {
  metadata: Record<string, string>;
  omittedMetadata: number;
} {
  let left = maxMetadataBytes;
  const entries = Object.entries(metadata);
  const shown = entries.filter(([key, value]) => {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value) + numberBytes;
    // The wire's codec refuses this name.
    if (bytes > left || key === '__proto__') return false;
    left -= bytes;
    return true;
  });
  return { metadata: Object.fromEntries(shown), omittedMetadata: entries.length - shown.length };
}

function counted<const Key extends string>(key: Key, count: number): { [key in Key]?: number } {
  return count > 0 ? ({ [key]: count } as { [key in Key]: number }) : {};
}
