// All that a panel needs to show a run, as a fold over the run's rows. The server sends one, both sides apply the rows that
// follow; a snapshot at any cursor equals the fold of all rows up to it. It stays small: of a long run it has some of the steps and norms,
// and a chart asks for the rest by `run/series`.
import type {
  CollapsedRecord,
  Detection,
  EvaluationFinishedRecord,
  EvaluationStartedRecord,
  HistogramsRecord,
  LayerBound,
  NormsRecord,
  PreparedRecord,
  ResponsesRecord,
  Row,
  ShapesRecord,
  StepRecord,
  ThesisCounts,
  UpdatesRecord,
} from './records.ts';
import type { Plan } from './plan.ts';
import type { RunSummary } from './run.ts';
import { sampleRow, type SampledColumns } from './sampledColumns.ts';

export interface RunSnapshot {
  run: RunSummary;
  plan: Plan;
  /** `seq` of the last row applied; 0 before the first. */
  cursor: number;
  prepared: PreparedRecord | null;
  steps: StepColumns;
  norms: NormColumns;
  tests: TestColumns;
  /** First (the start), some between, and the last; see `maxShapes`. */
  shapes: ShapesRecord[];
  histograms: HistogramsRecord[];
  responses: ResponsesRecord[];
  watch: WatchColumns;
  collapses: CollapsedRecord[];
  divergence: { step: number; quantity: string; message: string } | null;
  evaluations: EvaluationView[];
}

export interface StepColumns extends SampledColumns {
  step: number[];
  timeMs: number[];
  loss: number[];
  accuracy: number[];
  learningRate: number[];
}

/** Rows by time, columns in the order of `prepared.parameters`. */
export interface NormColumns extends SampledColumns {
  step: number[];
  weights: Float32Array[];
  gradients: Float32Array[];
  nonFiniteWeights: Int32Array[];
  nonFiniteGradients: Int32Array[];
  /** Norms before the update and of it, by tensor; empty where they were not recorded, as in runs of version 0.1. */
  before: Float32Array[];
  updates: Float32Array[];
  /** Mean norm of the attack's gradients, by its passes; empty where there was none. */
  attack: Float32Array[];
  /** Of all rows, also of those that are not kept; null where all values are finite. */
  firstNonFinite: NonFiniteRow | null;
}

/** The first step at which a value is not finite: of gradients the first as the backward pass comes to them, of weights in the network's order. */
export interface NonFiniteRow {
  readonly step: number;
  /** Position in `prepared.parameters`. */
  readonly parameter: number;
  readonly of: 'weight' | 'gradient';
}

export interface TestColumns {
  step: number[];
  epoch: number[];
  loss: number[];
  accuracy: number[];
  samples: number[];
  /** NaN where the plan asked for no attack. */
  robustAccuracy: number[];
  robustSamples: number[];
  /** NaN where there are not two classes. */
  auc: number[];
  /** NaN where no samples are kept back. */
  validationLoss: number[];
  validationAccuracy: number[];
  /** NaN where the plan doesn't choose by it. */
  validationRobustAccuracy: number[];
}

/** Looks of the watch over adversarial training. */
export interface WatchColumns {
  step: number[];
  samples: number[];
  fgsm: number[];
  pgd: number[];
  cosine: number[];
}

export interface EvaluationView {
  started: EvaluationStartedRecord;
  /** By stage (for PGD a restart): images seen so far and the counts that still stand by step. */
  restarts: { samples: number; robust: Int32Array }[];
  /** Of the images so far; null before it is known, and for good in evaluations of version 0.1. */
  clean: { samples: number; count: number } | null;
  /** Of attacks that look for the nearest and of certificates, by image; null for others. */
  distances: Float32Array | null;
  /** By stage: the thesis's counts by step, where the plan asks for them. */
  thesis: ThesisCounts[];
  /** What a certificate knows of the network's layers. */
  layers: readonly LayerBound[];
  /** Of a detector, an entry for each attack. */
  detections: readonly Detection[];
  /** Images so far that a certificate abstains from. */
  abstained: number;
  finished: EvaluationFinishedRecord | null;
}

/** Of more steps than this every second, every fourth, … is kept. */
export const maxSteps = 4096;

/** Of norms, so many of tensors are kept in all, of weights, gradients and updates each. */
const maxNorms = 16_000;

/** With more shapes, histograms or responses than this, every second one between the first and the last goes. */
export const maxShapes = 200;

/** They go also where together they take more than so many bytes, all but the first and the last. */
export const maxShapesBytes = { shapes: 384 * 1024, histograms: 128 * 1024, responses: 128 * 1024 } as const;
const fewestShapes = 2;

export function emptySnapshot(run: RunSummary, plan: Plan): RunSnapshot {
  return {
    run,
    plan,
    cursor: 0,
    prepared: null,
    steps: { seen: 0, every: 1, step: [], timeMs: [], loss: [], accuracy: [], learningRate: [] },
    norms: {
      ...{ seen: 0, every: 1, step: [], weights: [], gradients: [], nonFiniteWeights: [], nonFiniteGradients: [] },
      ...{ before: [], updates: [], attack: [] },
      firstNonFinite: null,
    },
    tests: {
      ...{ step: [], epoch: [], loss: [], accuracy: [], samples: [], robustAccuracy: [], robustSamples: [] },
      ...{ auc: [], validationLoss: [], validationAccuracy: [], validationRobustAccuracy: [] },
    },
    shapes: [],
    histograms: [],
    responses: [],
    watch: { step: [], samples: [], fgsm: [], pgd: [], cosine: [] },
    collapses: [],
    divergence: null,
    evaluations: [],
  };
}

/** Adds the row to the snapshot in place. Rows at or before the cursor change nothing, so a replay may overlap. */
export function applyRow(snapshot: RunSnapshot, row: Row): void {
  if (row.seq <= snapshot.cursor) return;
  snapshot.cursor = row.seq;
  const { record } = row;
  switch (record.type) {
    case 'prepared':
      snapshot.prepared = record;
      return;
    case 'step':
      sampleStep(snapshot.steps, record, row.timeMs);
      snapshot.divergence = null;
      return;
    case 'norms':
      snapshot.norms.firstNonFinite ??= nonFiniteRow(record);
      sampleNorms(snapshot.norms, record);
      return;
    case 'updates':
      completeNorms(snapshot.norms, record);
      return;
    case 'shapes':
      snapshot.shapes = kept(snapshot.shapes, record);
      return;
    case 'histograms':
      snapshot.histograms = kept(snapshot.histograms, record);
      return;
    case 'responses':
      snapshot.responses = kept(snapshot.responses, record);
      return;
    case 'test':
      snapshot.tests.step.push(record.step);
      snapshot.tests.epoch.push(record.epoch);
      snapshot.tests.loss.push(record.loss);
      snapshot.tests.accuracy.push(record.accuracy);
      snapshot.tests.samples.push(record.samples);
      snapshot.tests.robustAccuracy.push(record.robustAccuracy ?? Number.NaN);
      snapshot.tests.robustSamples.push(record.robustSamples);
      snapshot.tests.auc.push(record.auc ?? Number.NaN);
      snapshot.tests.validationLoss.push(record.validation?.loss ?? Number.NaN);
      snapshot.tests.validationAccuracy.push(record.validation?.accuracy ?? Number.NaN);
      snapshot.tests.validationRobustAccuracy.push(record.validation?.robustAccuracy ?? Number.NaN);
      return;
    case 'watch':
      for (const key of ['step', 'samples', 'fgsm', 'pgd', 'cosine'] as const) snapshot.watch[key].push(record[key]);
      return;
    case 'collapsed':
      snapshot.collapses.push(record);
      return;
    case 'endedEarly':
    case 'checkpointed':
      return; // the run's summary lists the checkpoints
    case 'diverged':
      snapshot.divergence = { step: record.step, quantity: record.quantity, message: record.message };
      return;
    case 'evaluationStarted': {
      // One that goes on begins again with the same number.
      const { from: _, ...started } = record;
      const view = findEvaluation(snapshot, record.evaluation);
      if (record.from !== undefined && view) view.finished = null;
      else
        snapshot.evaluations.push({
          ...{
            started,
            restarts: [],
            clean: null,
            distances: null,
            thesis: [],
            layers: [],
            detections: [],
            abstained: 0,
            finished: null,
          },
        });
      return;
    }
    case 'attackProgress': {
      const view = findEvaluation(snapshot, record.evaluation);
      if (!view) return;
      view.restarts[record.restart] = { samples: record.samples, robust: record.robust };
      if (record.clean !== undefined) view.clean = { samples: record.samples, count: record.clean };
      if (record.distances) view.distances = record.distances;
      if (record.thesis) view.thesis[record.restart] = record.thesis;
      if (record.layers) view.layers = record.layers;
      if (record.detections) view.detections = record.detections;
      if (record.outcomes) view.abstained += record.outcomes.filter((outcome) => outcome === 3).length;
      return;
    }
    case 'evaluationFinished': {
      const view = findEvaluation(snapshot, record.evaluation);
      if (view) view.finished = record;
      return;
    }
    default:
      record satisfies never;
  }
}

function sampleStep(steps: StepColumns, record: StepRecord, timeMs: number): void {
  const { step, loss, accuracy, learningRate } = record;
  const row = [
    ...([
      [steps.step, step],
      [steps.timeMs, timeMs],
      [steps.loss, loss],
    ] as const),
    ...([
      [steps.accuracy, accuracy],
      [steps.learningRate, learningRate],
    ] as const),
  ] as const;
  sampleRow(steps, row, maxSteps);
}

function sampleNorms(norms: NormColumns, record: NormsRecord): void {
  const row = [
    ...([
      [norms.step, record.step],
      [norms.weights, record.weights],
      [norms.gradients, record.gradients],
    ] as const),
    [norms.nonFiniteWeights, record.nonFiniteWeights],
    [norms.nonFiniteGradients, record.nonFiniteGradients],
    ...([norms.before, norms.updates, norms.attack] as const).map((column) => [column, new Float32Array()] as const),
  ] as const;
  sampleRow(norms, row, Math.max(32, Math.floor(maxNorms / Math.max(1, record.weights.length))));
}

/** The row of norms of the same step is the newest. */
function completeNorms(norms: NormColumns, { step, before, updates, attack }: UpdatesRecord): void {
  if (norms.step.at(-1) !== step) return;
  norms.before[norms.before.length - 1] = before;
  norms.updates[norms.updates.length - 1] = updates;
  if (attack) norms.attack[norms.attack.length - 1] = attack.norms;
}

function nonFiniteRow({ step, nonFiniteGradients, nonFiniteWeights }: NormsRecord): NonFiniteRow | null {
  for (let parameter = nonFiniteGradients.length - 1; parameter >= 0; parameter--) {
    if (nonFiniteGradients[parameter]! > 0) return { step, parameter, of: 'gradient' };
  }
  const weight = nonFiniteWeights.findIndex((count) => count > 0);
  return weight < 0 ? null : { step, parameter: weight, of: 'weight' };
}

function findEvaluation(snapshot: RunSnapshot, evaluation: number): EvaluationView | undefined {
  return snapshot.evaluations.findLast((view) => view.started.evaluation === evaluation);
}

type Kept = ShapesRecord | HistogramsRecord | ResponsesRecord;

/** The records and one more, the first and the last always among them, as far apart as they can be. */
function kept<R extends Kept>(records: readonly R[], added: R): R[] {
  const all = [...records, added];
  const sizeBytes = all.reduce((sum, record) => sum + bytesOf(record), 0);
  const isWide = sizeBytes > maxShapesBytes[added.type] && all.length > fewestShapes;
  return all.length > maxShapes || isWide ? all.filter((_, index) => index === all.length - 1 || index % 2 === 0) : all;
}

/** Of the arrays, which are nearly all of it. */
function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce((sum: number, inner) => sum + bytesOf(inner), 0);
}
