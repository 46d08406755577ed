// What has become of the weights between two `.safetensors` files, tensor by tensor. Both are read part by part, as an inspection reads one.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CheckpointDifference, TensorDifference } from '../protocol/checkpoint.ts';
import { activationsByLayer, shownTensors } from './checkpointContents.ts';
import { CurveReader } from './checkpointCurves.ts';
import { checkpointOrigin } from './checkpointFile.ts';
import { dtypeBytes, partBytes, SafetensorsFile, startDigest } from './safetensors.ts';
import type { StoredTensor } from './safetensors.ts';
import { Histogram } from './tensorFigures.ts';
import { readValues } from './tensorValues.ts';

/** Values of a part, of either file: the widest have eight bytes. */
const partValues = partBytes / 8;

/** @throws BadCheckpointError where one of the files is damaged */
export async function compareCheckpoints(file: string, other: string): Promise<CheckpointDifference> {
  const one = new SafetensorsFile(file);
  try {
    const two = new SafetensorsFile(other);
    try {
      return await compareFiles(one, two);
    } finally {
      two.close();
    }
  } finally {
    one.close();
  }
}

async function compareFiles(one: SafetensorsFile, two: SafetensorsFile): Promise<CheckpointDifference> {
  const origin = checkpointOrigin(two);
  const digests = two.readDigests();
  const byName = new Map(two.tensors.map((tensor) => [tensor.name, tensor]));
  const buffers = [new Uint8Array(partBytes), new Uint8Array(partBytes)] as const;
  const curves = new CurveReader({
    ...{ stored: two, buffer: buffers[1] },
    activations: origin ? activationsByLayer(origin.plan) : null,
  });
  const tensors: TensorDifference[] = [];
  let unmatched = 0;
  for (const tensor of shownTensors(one.tensors)) {
    const match = byName.get(tensor.name);
    if (!match || match.shape.join() !== tensor.shape.join()) {
      unmatched++;
      continue;
    }
    const pair = new TensorPair([one, tensor, buffers[0]], [two, match, buffers[1]]);
    tensors.push(await pair.compare(digests.get(match.name)));
    curves.look(match);
  }
  return {
    ...{ file: one.file, other: two.file, tensors, unmatched, activations: curves.found },
    otherOrigin: origin && { runId: origin.runId, step: origin.step, epoch: origin.epoch },
  };
}

type Side = readonly [stored: SafetensorsFile, tensor: StoredTensor, buffer: Uint8Array<ArrayBuffer>];

/** One tensor in both files. */
class TensorPair {
  readonly #one: Side;
  readonly #two: Side;

  constructor(one: Side, two: Side) {
    this.#one = one;
    this.#two = two;
  }

  /** @param digest of the other's bytes as they were written */
  async compare(digest: string | undefined): Promise<TensorDifference> {
    const seen = startDigest();
    let [squares, ofOne, largest, nonFinite, min, max] = [0, 0, 0, 0, Infinity, -Infinity];
    for (const [a, b, bytes] of this.#parts()) {
      seen.add(bytes);
      for (let index = 0; index < a.length; index++) {
        const [w, v] = [a[index]!, b[index]!];
        if (!Number.isFinite(w) || !Number.isFinite(v)) {
          nonFinite++;
          continue;
        }
        const change = Math.abs(w - v);
        squares += change * change;
        ofOne += w * w;
        if (change > largest) largest = change;
        min = Math.min(min, w, v);
        max = Math.max(max, w, v);
      }
      await nextTurn();
    }
    const [histogram, otherHistogram] = [new Histogram({ min, max }), new Histogram({ min, max })];
    for (const [a, b] of this.#parts()) {
      for (let index = 0; index < a.length; index++) {
        const [w, v] = [a[index]!, b[index]!];
        if (!Number.isFinite(w) || !Number.isFinite(v)) continue;
        histogram.add(w);
        otherHistogram.add(v);
      }
      await nextTurn();
    }
    const isEmpty = min > max;
    const l2 = isEmpty ? Number.NaN : Math.sqrt(squares);
    return {
      ...{ name: this.#one[1].name, l2, relative: l2 / Math.sqrt(ofOne), nonFinite },
      largest: isEmpty ? Number.NaN : largest,
      min: isEmpty ? Number.NaN : min,
      max: isEmpty ? Number.NaN : max,
      ...{ histogram: histogram.counts, otherHistogram: otherHistogram.counts },
      ...(digest !== undefined && digest !== seen.end() ? { isOtherDamaged: true as const } : {}),
    };
  }

  /** As many values of each, and the bytes of the other's. */
  *#parts(): Generator<readonly [ArrayLike<number>, ArrayLike<number>, Uint8Array]> {
    const parts = partsOf(this.#two);
    for (const bytes of partsOf(this.#one)) {
      const others = parts.next().value as Uint8Array<ArrayBuffer>;
      yield [readValues(this.#one[1].dtype, bytes), readValues(this.#two[1].dtype, others), others];
    }
  }
}

function partsOf([stored, tensor, buffer]: Side): Generator<Uint8Array<ArrayBuffer>> {
  return stored.readParts(tensor, buffer.subarray(0, partValues * dtypeBytes[tensor.dtype]));
}
