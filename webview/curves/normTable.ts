// Norms of many tensors over many steps, gathered into a bounded number of buckets that keep extremes and non-finite values.
// Appending a row costs one pass over its tensors; when buckets run out, neighbours merge in pairs.
import type { ParameterInfo } from '../../server/protocol/records.ts';
import { normTag, type NormQuantity, type SeriesTable } from '../../server/protocol/series.ts';
import type { NormColumns } from '../../server/protocol/snapshot.ts';

export type { NormQuantity };

export const quantityNames: Readonly<Record<NormQuantity, string>> = {
  weights: 'weight norm',
  gradients: 'gradient norm',
  ratio: 'gradient / weight',
  update: 'update / weight',
};

/** What one line of the table stands for: a tensor, or the tensors of a layer taken together. */
export interface NormLine {
  readonly name: string;
  readonly layer: string;
  /** The name of its first tensor. */
  readonly tensor: string;
  /** Positions in `prepared.parameters`. */
  readonly members: readonly number[];
  /** The block of several layers that it is. */
  readonly block?: string;
}

export interface NormBucket {
  firstStep: number;
  lastStep: number;
  /** By line, over the finite values; +∞ and −∞ where there is none. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Of the finite values. */
  readonly mean: Float64Array;
  /** How many they are. */
  readonly count: Uint32Array;
  /** Non-finite values by line. */
  readonly bad: Uint32Array;
}

export interface LineCurve {
  readonly x: number[];
  readonly y: number[];
  readonly band: { readonly low: number[]; readonly high: number[] };
}

export function tensorLines(parameters: readonly ParameterInfo[]): NormLine[] {
  return parameters.map(({ name, layer }, index) => ({ name, layer, tensor: name, members: [index] }));
}

/** In the network's order. */
export function layerLines(parameters: readonly ParameterInfo[]): NormLine[] {
  const lines = new Map<string, number[]>();
  parameters.forEach(({ layer }, index) => {
    const members = lines.get(layer);
    if (members) members.push(index);
    else lines.set(layer, [index]);
  });
  return Array.from(lines, ([layer, members]) => ({
    ...{ name: layer, layer, members },
    tensor: parameters[members[0]!]!.name,
  }));
}

/** By which the norms of a line are asked for. */
export function tagOf(quantity: NormQuantity, line: NormLine): string {
  if (line.block !== undefined) return normTag(quantity, { block: line.block });
  return normTag(quantity, line.members.length === 1 ? { tensor: line.tensor } : { layer: line.layer });
}

/** L2 norm of the line's tensors together at a row of the log; the ratio is gradient over weight. */
export function normAt(columns: NormColumns, quantity: NormQuantity, line: NormLine, row: number): number {
  switch (quantity) {
    case 'weights':
      return joined(columns.weights[row], line);
    case 'gradients':
      return joined(columns.gradients[row], line);
    case 'ratio':
      return joined(columns.gradients[row], line) / joined(columns.weights[row], line);
    case 'update':
      return joined(columns.updates[row], line) / joined(columns.before[row], line);
    default:
      return quantity satisfies never;
  }
}

export class NormTable {
  readonly buckets: NormBucket[] = [];
  /** Rows of the log that count, in ascending order of step: a resumed run replaces the steps that it repeats. */
  readonly kept: number[] = [];
  readonly quantity: NormQuantity;
  readonly lines: readonly NormLine[];
  private readonly maxBuckets: number;
  private rowsPerBucket = 1;
  private seen = 0;
  /** What the buckets are of, where the columns have only some of the rows. */
  private shown: SeriesTable | null = null;

  constructor(quantity: NormQuantity, lines: readonly NormLine[], maxBuckets: number) {
    this.quantity = quantity;
    this.lines = lines;
    this.maxBuckets = maxBuckets;
  }

  /** Takes in the rows that are new since the last call. */
  update(columns: NormColumns): void {
    let isRebuilt = false;
    for (; this.seen < columns.step.length; this.seen++) {
      if (this.quantity === 'update' && (columns.updates[this.seen]?.length ?? 0) === 0) {
        // It comes behind the norms of its step, if at all.
        if (this.seen === columns.step.length - 1) return;
        continue;
      }
      const step = columns.step[this.seen]!;
      while (this.kept.length > 0 && columns.step[this.kept.at(-1)!]! >= step) {
        this.kept.pop();
        isRebuilt = true;
      }
      this.kept.push(this.seen);
      if (!isRebuilt && !this.shown) this.append(columns, this.kept.length - 1);
    }
    if (isRebuilt && !this.shown) {
      this.buckets.length = 0;
      this.rowsPerBucket = 1;
      this.kept.forEach((_, position) => {
        this.append(columns, position);
      });
    }
  }

  /** Shows all rows of a long run instead of those that the columns have. */
  show(table: SeriesTable): void {
    if (this.shown === table) return;
    this.shown = table;
    const byTag = new Map(table.series.map((series) => [series.tag, series]));
    const columns = this.lines.map((line) => byTag.get(tagOf(this.quantity, line)));
    this.buckets.length = 0;
    for (let index = 0; index < table.firstStep.length; index++) {
      const bucket = emptyBucket(this.lines.length, table.firstStep[index]!);
      bucket.lastStep = table.lastStep[index]!;
      columns.forEach((series, line) => {
        const low = series?.low?.[index] ?? series?.first[index] ?? Number.NaN;
        const high = series?.high?.[index] ?? series?.first[index] ?? Number.NaN;
        if (Number.isFinite(low)) bucket.low[line] = low;
        if (Number.isFinite(high)) bucket.high[line] = high;
        bucket.mean[line] = series?.mean?.[index] ?? (low + high) / 2;
        bucket.count[line] = Number.isFinite(low) ? 1 : 0;
        bucket.bad[line] = (series?.marks[index] ?? 0) > 0 ? 1 : 0;
      });
      this.buckets.push(bucket);
    }
  }

  /** Lowest and highest finite positive value of all lines but those of these numbers; null where there is none. */
  extent(without: ReadonlySet<number> = new Set()): { low: number; high: number } | null {
    let low = Infinity;
    let high = 0;
    for (const bucket of this.buckets) {
      for (let line = 0; line < this.lines.length; line++) {
        if (without.has(line)) continue;
        if (bucket.low[line]! > 0 && bucket.low[line]! < low) low = bucket.low[line]!;
        if (bucket.high[line]! > high && bucket.high[line]! < Infinity) high = bucket.high[line]!;
      }
    }
    return high > 0 && low < Infinity ? { low, high } : null;
  }

  /** A line as a curve: the mean of each bucket between its lowest and its highest; NaN where a value was not finite. */
  curve(line: number): LineCurve {
    const curve: LineCurve = { x: [], y: [], band: { low: [], high: [] } };
    const put = (step: number, [mean, low, high]: readonly [number, number, number]): void => {
      curve.x.push(step);
      curve.y.push(mean);
      curve.band.low.push(low);
      curve.band.high.push(high);
    };
    for (const { firstStep, lastStep, low, high, mean, bad } of this.buckets) {
      if (low[line]! <= high[line]!) put((firstStep + lastStep) / 2, [mean[line]!, low[line]!, high[line]!]);
      if (bad[line]! > 0) put(lastStep, [Number.NaN, Number.NaN, Number.NaN]);
    }
    return curve;
  }

  private append(columns: NormColumns, position: number): void {
    let index = Math.floor(position / this.rowsPerBucket);
    if (index >= this.maxBuckets) {
      this.mergePairs();
      index = Math.floor(position / this.rowsPerBucket);
    }
    const row = this.kept[position]!;
    const step = columns.step[row]!;
    const bucket = (this.buckets[index] ??= emptyBucket(this.lines.length, step));
    bucket.lastStep = step;
    this.lines.forEach((line, lineIndex) => {
      const value = normAt(columns, this.quantity, line, row);
      if (!Number.isFinite(value)) bucket.bad[lineIndex]! += 1;
      else {
        if (value < bucket.low[lineIndex]!) bucket.low[lineIndex] = value;
        if (value > bucket.high[lineIndex]!) bucket.high[lineIndex] = value;
        bucket.mean[lineIndex]! += (value - bucket.mean[lineIndex]!) / ++bucket.count[lineIndex]!;
      }
    });
  }

  private mergePairs(): void {
    const merged: NormBucket[] = [];
    for (let index = 0; index < this.buckets.length; index += 2) {
      const left = this.buckets[index]!;
      const right = this.buckets[index + 1];
      if (right) absorb(left, right);
      merged.push(left);
    }
    this.buckets.splice(0, this.buckets.length, ...merged);
    this.rowsPerBucket *= 2;
  }
}

function joined(norms: Float32Array | undefined, line: NormLine): number {
  if (!norms || norms.length === 0) return Number.NaN;
  if (line.members.length === 1) return norms[line.members[0]!] ?? Number.NaN;
  let sum = 0;
  for (const member of line.members) sum += norms[member]! * norms[member]!;
  return Math.sqrt(sum);
}

function emptyBucket(lines: number, step: number): NormBucket {
  return {
    firstStep: step,
    lastStep: step,
    low: new Float64Array(lines).fill(Infinity),
    high: new Float64Array(lines).fill(-Infinity),
    mean: new Float64Array(lines),
    count: new Uint32Array(lines),
    bad: new Uint32Array(lines),
  };
}

function absorb(left: NormBucket, right: NormBucket): void {
  left.lastStep = right.lastStep;
  for (let line = 0; line < left.low.length; line++) {
    left.low[line] = Math.min(left.low[line]!, right.low[line]!);
    left.high[line] = Math.max(left.high[line]!, right.high[line]!);
    left.bad[line]! += right.bad[line]!;
    const count = left.count[line]! + right.count[line]!;
    if (right.count[line]! > 0)
      left.mean[line]! += ((right.mean[line]! - left.mean[line]!) * right.count[line]!) / count;
    left.count[line] = count;
  }
}
