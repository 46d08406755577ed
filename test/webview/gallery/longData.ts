// Runs of any length in the gallery: every value is a formula of its step, and series are answered by looking at each.
import type { SeriesAnswer, SeriesIntent } from '../../../server/protocol/panel.ts';
import type { RunSeries, SeriesTable, TagSeries } from '../../../server/protocol/series.ts';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { makeSnapshot } from './runData.ts';

export interface LongRun {
  readonly nSteps: number;
  readonly normsEvery: number;
  /** At which the loss is 40, for one step. */
  readonly spikeAt: number;
  /** At which the loss is not a number, for one step; 0 for none. */
  readonly nanAt: number;
  /** Makes runs differ. */
  readonly phase: number;
}

const stepMs = 40;
const testEvery = 5000;

export const aLongRun: LongRun = { nSteps: 1_000_000, normsEvery: 100, spikeAt: 700_001, nanAt: 420_000, phase: 0 };

function valueOf(run: LongRun, tag: string, step: number): number {
  const noise = Math.sin(step * 12.9898 + run.phase) * 0.5 + Math.sin(step * 0.37 + run.phase);
  const progress = step / run.nSteps;
  switch (tag) {
    case 'loss':
      if (step === run.spikeAt) return 40;
      return step === run.nanAt
        ? Number.NaN
        : 0.6 + 1.7 * Math.exp(-6 * progress) + 0.1 * noise + 0.05 * Math.sin(run.phase);
    case 'accuracy':
      return 0.75 - 0.6 * Math.exp(-6 * progress) + 0.06 * noise;
    case 'learningRate':
      return 0.1 * (1 + Math.cos(Math.PI * progress)) * 0.5;
    case 'test/accuracy':
      return 0.8 - 0.6 * Math.exp(-7 * progress) + 0.005 * Math.sin(step + run.phase);
    case 'test/loss':
      return 0.5 + 1.5 * Math.exp(-7 * progress) + 0.01 * Math.sin(step + run.phase);
    case 'test/robustAccuracy':
      return 0.5 - 0.4 * Math.exp(-5 * progress) + 0.01 * Math.sin(step + run.phase);
    default: {
      let hash = 0;
      for (const letter of tag) hash = (hash * 31 + letter.charCodeAt(0)) % 997;
      return (0.01 + hash / 997) * Math.exp(-2 * progress + 0.4 * noise + 2 * Math.sin(progress * 9 + hash));
    }
  }
}

/** A snapshot as the server would have folded it. */
export function longSnapshot(run: LongRun): RunSnapshot {
  const usual = makeSnapshot({ steps: 391, status: 'training' });
  const snapshot = emptySnapshot({ ...usual.run, step: run.nSteps, steps: 2 * run.nSteps }, usual.plan);
  let seq = 0;
  const put = (step: number, record: Parameters<typeof applyRow>[1]['record']): void => {
    applyRow(snapshot, { seq: ++seq, timeMs: 1e12 + step * stepMs, record });
  };
  const parameters = usual.prepared!.parameters;
  put(0, { ...usual.prepared!, steps: 2 * run.nSteps });
  const zeros = new Int32Array(parameters.length);
  const norms = (step: number, quantity: string): Float32Array =>
    Float32Array.from(parameters, ({ name }) => valueOf(run, `${quantity}/${name}`, step));
  const at = (step: number, tag: string): number => valueOf(run, tag, step);
  for (let step = 1; step <= run.nSteps; step++) {
    const figures = { loss: at(step, 'loss'), accuracy: at(step, 'accuracy'), learningRate: at(step, 'learningRate') };
    put(step, { type: 'step', step, epoch: Math.ceil(step / 391), ...figures });
    if (step % run.normsEvery !== 0) continue;
    put(step, {
      ...{ type: 'norms', step, weights: norms(step, 'weights'), gradients: norms(step, 'gradients') },
      ...{ nonFiniteWeights: zeros, nonFiniteGradients: zeros },
    });
    put(step, { type: 'updates', step, before: norms(step, 'weights'), updates: norms(step, 'update') });
  }
  return { ...snapshot, shapes: usual.shapes };
}

const layers = ['conv1', 'bn1', 'kaf1', 'conv2', 'bn2', 'kaf2', 'dense1'];

export function answerSeries(runs: ReadonlyMap<string, LongRun>, intent: SeriesIntent): SeriesAnswer {
  const answered = intent.runIds.map((runId): RunSeries => {
    const run = runs.get(runId);
    if (!run) return { runId, cursor: 0, failure: `There is no run ${runId}.`, tables: [] };
    const tables = (
      [
        [1, (tag: string) => ['loss', 'accuracy', 'learningRate'].includes(tag)],
        [testEvery, (tag: string) => tag.startsWith('test/')],
        [run.normsEvery, (tag: string) => tag === 'gradientNorm' || /^(weights|gradients|ratio|update)\//.test(tag)],
      ] as const
    ).flatMap(([every, has]) => {
      const asked = intent.tags.flatMap((tag) => (tag.endsWith('/') ? layers.map((layer) => `${tag}${layer}/*`) : tag));
      const tags = asked.filter(has);
      return tags.length === 0 ? [] : [table(run, tags, every, intent)];
    });
    return { runId, cursor: run.nSteps, failure: null, tables };
  });
  return { type: 'series', key: intent.key, asked: intent.asked, result: { runs: answered }, failure: null };
}

function table(
  run: LongRun,
  tags: readonly string[],
  every: number,
  { from, to, pixels, smoothing, means }: SeriesIntent,
): SeriesTable {
  const nRows = Math.floor(run.nSteps / every);
  const first = Math.max(0, Math.floor((from ?? 0) / every) - 2);
  const end = Math.min(nRows, Math.ceil((to ?? run.nSteps) / every) + 1);
  const rowsPerBucket = end - first <= 2 * pixels ? 1 : 2 ** Math.ceil(Math.log2((end - first) / pixels));
  const firstRow = Math.floor(first / rowsPerBucket) * rowsPerBucket;
  const starts: number[] = [];
  for (let row = firstRow; row < end; row += rowsPerBucket) starts.push(row);
  const last = (row: number): number => Math.min(nRows, row + rowsPerBucket);
  return {
    ...{ rowsPerBucket, firstRow },
    firstStep: Float64Array.from(starts, (row) => (row + 1) * every),
    lastStep: Float64Array.from(starts, (row) => last(row) * every),
    firstMs: Float64Array.from(starts, (row) => 1e12 + (row + 1) * every * stepMs),
    lastMs: Float64Array.from(starts, (row) => 1e12 + last(row) * every * stepMs),
    series: tags.map((tag): TagSeries => {
      const buckets = starts.map((start) => {
        const values: number[] = [];
        for (let row = start; row < last(start); row++) values.push(valueOf(run, tag, (row + 1) * every));
        return values;
      });
      const finite = buckets.map((values) => values.filter((value) => Number.isFinite(value)));
      return {
        tag,
        first: Float64Array.from(buckets, (values) => values[0]!),
        ...(rowsPerBucket > 1 && {
          low: Float64Array.from(finite, (values) => values.reduce((a, b) => Math.min(a, b), Infinity)),
          high: Float64Array.from(finite, (values) => values.reduce((a, b) => Math.max(a, b), -Infinity)),
          last: Float64Array.from(buckets, (values) => values.at(-1)!),
        }),
        marks: Uint8Array.from(buckets, (values) => Number(values.some(Number.isNaN))),
        ...(means &&
          rowsPerBucket > 1 && {
            mean: Float64Array.from(finite, (values) => values.reduce((a, b) => a + b, 0) / values.length),
          }),
        ...(smoothing > 0 && {
          smooth: Float64Array.from(finite, (values) => values.reduce((a, b) => a + b, 0) / values.length),
        }),
      };
    }),
  };
}
