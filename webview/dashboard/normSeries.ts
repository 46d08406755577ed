// What the Norms tab asks of a long run, of whose norms the snapshot has some rows alone: buckets of all lines, the curve of the chosen one,
// and the norms of a chosen step.
import type { ParameterInfo } from '../../server/protocol/records.ts';
import { normTag, type SeriesTable } from '../../server/protocol/series.ts';
import type { NormColumns, RunSnapshot } from '../../server/protocol/snapshot.ts';
import { bucketCurve, type BucketCurve } from '../curves/bucketCurve.ts';
import type { Range } from '../curves/decimate.ts';
import { tagOf, type NormLine, type NormQuantity } from '../curves/normTable.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';

/** Weight of the moving average of one line's curve. */
const smoothing = 0.9;
const curvePixels = 700;

export class NormSeries {
  private readonly feed: SeriesFeed;
  private readonly runId: string;

  constructor(feed: SeriesFeed, runId: string) {
    this.feed = feed;
    this.runId = runId;
  }

  /** Null before they are there. */
  lines(
    quantity: NormQuantity,
    lines: readonly NormLine[],
    { range, pixels, means }: { readonly range: Range | null; readonly pixels: number; readonly means: boolean },
  ): SeriesTable | null {
    const tags = lines.map((line) => tagOf(quantity, line));
    return this.ask('norms/lines', tags, { ...range, pixels, smoothing: 0, means })[0] ?? null;
  }

  curve(quantity: NormQuantity, line: NormLine, range: Range | null): BucketCurve | null {
    const tag = tagOf(quantity, line);
    return bucketCurve(this.ask('norms/line', [tag], { ...range, pixels: curvePixels, smoothing }), tag);
  }

  /** The norms of all tensors at the last recorded step up to one, as columns of one row; null before they are there. */
  at(step: number, parameters: readonly ParameterInfo[]): NormColumns | null {
    const tags = parameters.flatMap(({ name }) => [
      normTag('weights', { tensor: name }),
      normTag('gradients', { tensor: name }),
      normTag('update', { tensor: name }),
    ]);
    const tables = this.ask('norms/step', tags, { from: step, to: step, pixels: 8, smoothing: 0 });
    const table = tables.find(({ series }) => !series[0]?.tag.startsWith('update/'));
    const row = table ? table.firstStep.findLastIndex((each) => each <= step) : -1;
    if (!table || row < 0) return null;
    const at = table.firstStep[row]!;
    const norms = (of: 'weights' | 'gradients' | 'update'): Float32Array =>
      Float32Array.from(parameters, ({ name }) => valueAt(tables, normTag(of, { tensor: name }), at));
    const [weights, gradients, ratios] = [norms('weights'), norms('gradients'), norms('update')];
    // An update hardly changes a norm: the ratio of several tensors together is right to a part in as many as its inverse.
    const updates = ratios.map((ratio, index) => ratio * weights[index]!);
    // How many values are not finite the log alone knows; that there are some, the norm says.
    const broken = (values: Float32Array): Int32Array =>
      Int32Array.from(values, (value) => Number(!Number.isFinite(value)));
    return {
      ...{ seen: 1, every: 1, step: [at], firstNonFinite: null },
      ...{ weights: [weights], gradients: [gradients], before: [weights], updates: [updates], attack: [] },
      ...{ nonFiniteWeights: [broken(weights)], nonFiniteGradients: [broken(gradients)] },
    };
  }

  private ask(
    key: string,
    tags: readonly string[],
    query: { from?: number; to?: number; pixels: number; smoothing: number; means?: boolean },
  ): readonly SeriesTable[] {
    const question = { runIds: [this.runId], tags, from: null, to: null, rowsPerBucket: null, ...query };
    return this.feed.want(key, question)?.runs[0]?.tables ?? [];
  }
}

/** NaN where no table has it. */
function valueAt(tables: readonly SeriesTable[], tag: string, step: number): number {
  for (const table of tables) {
    const series = table.series.find((each) => each.tag === tag);
    if (series) return series.first[table.firstStep.indexOf(step)] ?? Number.NaN;
  }
  return Number.NaN;
}

/** Null where the snapshot has every row. */
export function normSeries(feed: SeriesFeed | null, { norms, run }: RunSnapshot): NormSeries | null {
  return feed && norms.every > 1 ? new NormSeries(feed, run.id) : null;
}
