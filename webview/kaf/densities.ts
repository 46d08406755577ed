// Densities of a layer's inputs, channel by channel, clean and attacked, as they lie beneath its curves.
import { densityBins, type InputDensities, type ResponsesRecord } from '../../server/protocol/records.ts';

export interface ChannelDensity {
  readonly range: { readonly from: number; readonly to: number };
  /** Middles of the bins, ascending. */
  readonly x: Float64Array;
  /** Shares of the fullest bin of both. */
  readonly clean: Float64Array;
  readonly attacked: Float64Array;
  /** By how far the attack moves inputs: the largest distance of the cumulative distributions, what is outside of the bins included. */
  readonly shift: number;
}

/** Of the newest record at or before the step, else of the first; null where the layer has none. */
export function densitiesAt(records: readonly ResponsesRecord[], layer: string, step: number): InputDensities | null {
  const record = records.findLast((each) => each.step <= step) ?? records[0];
  return record?.layers.find((each) => each.layer === layer)?.inputs ?? null;
}

export function densityOf({ low, high, clean, attacked }: InputDensities, channel: number): ChannelDensity {
  const size = densityBins + 2;
  const [before, after] = [clean, attacked].map((rows) => rows.subarray(channel * size, (channel + 1) * size));
  const share = (rows: Uint8Array) => Float64Array.from(rows.subarray(1, -1), (value) => value / 255);
  return {
    range: { from: low, to: high },
    x: Float64Array.from({ length: densityBins }, (_, bin) => low + ((bin + 0.5) * (high - low)) / densityBins),
    clean: share(before!),
    attacked: share(after!),
    shift: distanceOf(before!, after!),
  };
}

function distanceOf(a: Uint8Array, b: Uint8Array): number {
  const total = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0);
  const [nA, nB] = [total(a), total(b)];
  if (nA === 0 || nB === 0) return 0;
  let [sumA, sumB, most] = [0, 0, 0];
  a.forEach((value, bin) => {
    sumA += value;
    sumB += b[bin]!;
    most = Math.max(most, Math.abs(sumA / nA - sumB / nB));
  });
  return most;
}
