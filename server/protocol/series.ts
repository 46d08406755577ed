// Values of runs by step, in as many buckets as a picture has pixels: what a chart asks for, whatever the length of a run. No value is lost in
// a bucket: it has the first, the lowest, the highest and the last, and which kinds of non-finite ones are in it.
import { z } from 'zod';
import type { ParameterInfo } from './records.ts';

/** Of every step. */
export const scalarTags = ['loss', 'accuracy', 'learningRate'] as const;

/** Of every test. */
export const testTags = [
  'test/loss',
  'test/accuracy',
  'test/robustAccuracy',
  'test/validationLoss',
  'test/validationAccuracy',
  'test/auc',
] as const;

export const normQuantities = ['weights', 'gradients', 'ratio'] as const;
/** `update`: by how much an update moved the weights, over their norm before it. */
export type NormQuantity = (typeof normQuantities)[number] | 'update';

/** L2 norm of all gradients together. */
export const gradientNormTag = 'gradientNorm';

/** Of a tensor by its name, or of all tensors of a layer or of a block together; the ratio is gradient over weight. */
export function normTag(
  quantity: NormQuantity,
  line: { readonly tensor: string } | { readonly layer: string } | { readonly block: string },
): string {
  if ('block' in line) return `${quantity}/${line.block}/**`;
  return 'tensor' in line ? `${quantity}/${line.tensor}` : `${quantity}/${line.layer}/*`;
}

export interface NamedMembers {
  readonly name: string;
  /** Positions in `prepared.parameters`. */
  readonly members: readonly number[];
}

/** Every tensor by its name, then every layer of several as `<layer>/*` and every block of several as `<block>/**`. */
export function normLines(parameters: readonly ParameterInfo[]): NamedMembers[] {
  const layers = new Map<string, number[]>();
  const blocks = new Map<string, number[]>();
  const put = (groups: Map<string, number[]>, name: string, index: number): void => {
    const members = groups.get(name);
    if (members) members.push(index);
    else groups.set(name, [index]);
  };
  parameters.forEach(({ layer }, index) => {
    put(layers, layer, index);
    if (layer.includes('.')) put(blocks, layer.slice(0, layer.lastIndexOf('.')), index);
  });
  const several = (groups: Map<string, number[]>, ending: string): NamedMembers[] =>
    Array.from(groups, ([name, members]) => ({ name: `${name}${ending}`, members })).filter(
      ({ members }) => members.length > 1,
    );
  return [
    ...parameters.map(({ name }, index) => ({ name, members: [index] })),
    ...several(layers, '/*'),
    ...several(blocks, '/**'),
  ];
}

/** Without the runs, which the message names. */
export const seriesQueryParts = {
  tags: z.array(z.string().min(1).max(1000)).min(1).max(4000),
  /** Steps shown; null for the first or the last that there is. One row beyond each end comes with them. */
  from: z.number().nullable().default(null),
  to: z.number().nullable().default(null),
  /** At most about so many buckets for the longest of the runs; all have buckets of as many rows. */
  pixels: z.int().min(1).max(4096),
  /** Instead of `pixels`: rows a bucket, a power of two, so that what is new joins what is there. */
  rowsPerBucket: z
    .int()
    .max(2 ** 30)
    .refine((count) => Number.isInteger(Math.log2(count)), 'expected a power of two')
    .nullable()
    .default(null),
  /** Weight of a debiased moving average over all rows from the first on, at each bucket's last; 0 for none. */
  smoothing: z.number().min(0).max(0.9999).default(0),
  /** Whether buckets have the mean of their values. */
  means: z.boolean().default(false),
} as const;

export interface SeriesQuery {
  /** One that ends in a slash, as `gradients/`, stands for that quantity of every layer. */
  readonly tags: readonly string[];
  readonly from: number | null;
  readonly to: number | null;
  readonly pixels: number;
  readonly rowsPerBucket: number | null;
  readonly smoothing: number;
  readonly means?: boolean | undefined;
}

export interface SeriesResult {
  /** In the order asked for. */
  readonly runs: readonly RunSeries[];
}

export interface RunSeries {
  readonly runId: string;
  /** `seq` of the last row that counts in it. */
  readonly cursor: number;
  /** Why the run can't be read; then it has no tables. */
  readonly failure: string | null;
  /** One for each kind of row that a tag is of. */
  readonly tables: readonly SeriesTable[];
}

/** Buckets of rows, and what each series has in them. */
export interface SeriesTable {
  /** 1: each bucket is a row, and `low`, `high` and `last` are left out. */
  readonly rowsPerBucket: number;
  /** Of the first bucket, in the table of the run. */
  readonly firstRow: number;
  readonly firstStep: Float64Array;
  readonly lastStep: Float64Array;
  /** Milliseconds since the epoch. */
  readonly firstMs: Float64Array;
  readonly lastMs: Float64Array;
  readonly series: readonly TagSeries[];
}

export interface TagSeries {
  readonly tag: string;
  readonly first: Float32Array | Float64Array;
  /** NaN where no value is finite, as is `high`. */
  readonly low?: Float32Array | Float64Array;
  readonly high?: Float32Array | Float64Array;
  readonly last?: Float32Array | Float64Array;
  /** Of the finite values; where it was asked for. */
  readonly mean?: Float32Array | Float64Array;
  /** Bits: 1 NaN, 2 +∞, 4 −∞. */
  readonly marks: Uint8Array;
  /** Of the moving average, at the last row of each bucket. */
  readonly smooth?: Float32Array | Float64Array;
}

/** How far the records of a run are read, of a run whose series are made for the first time. */
export interface SeriesProgress {
  readonly runId: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}
