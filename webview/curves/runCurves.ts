// The curves of a run, derived from its snapshot: what is drawn against step, epoch or time. Nothing is drawn or decimated here.
import { trainingSamples } from '../../server/protocol/plan.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import { gradientNormTag, type SeriesTable } from '../../server/protocol/series.ts';
import { bucketCurve, extended, type BucketCurve } from './bucketCurve.ts';
import type { CurveAxis, CurveView } from './curveView.ts';
import { indexAt, keepNewest, type Range } from './decimate.ts';
import { wilsonInterval } from '../../server/protocol/proportion.ts';

export interface RunCurves {
  /** Step of each point of the training curves, ascending: where a resumed run repeats steps, the newest counts. */
  readonly step: readonly number[];
  /** Of the first step, in milliseconds since the epoch; 0 before it. */
  readonly firstMs: number;
  /** Milliseconds since the first step. */
  readonly elapsedMs: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
  readonly imagesPerSecond: Float64Array;
  readonly tests: TestCurves;
  readonly watch: WatchCurves;
  readonly normStep: readonly number[];
  /** L2 norm of all gradients together. */
  readonly gradientNorm: readonly number[];
  readonly stepsPerEpoch: number;
  /** Of a long run, by tag: what all of its rows come to, where the columns above have some of them. */
  readonly series: ReadonlyMap<string, BucketCurve>;
}

export interface TestCurves {
  readonly step: readonly number[];
  readonly loss: readonly number[];
  readonly clean: IntervalCurve;
  /** Areas under the curve; all NaN where there are not two classes. */
  readonly auc: readonly number[];
  /** On the samples kept back; all NaN where there are none. */
  readonly validation: readonly number[];
  readonly validationLoss: readonly number[];
  /** All NaN where nothing is chosen by it. */
  readonly validationRobust: readonly number[];
  /** Empty where the plan asks for no attack. */
  readonly robust: IntervalCurve & { readonly step: readonly number[] };
}

/** Looks of the watch over adversarial training; empty where there is none. */
export interface WatchCurves {
  readonly step: readonly number[];
  readonly fgsm: readonly number[];
  readonly pgd: readonly number[];
  readonly cosine: readonly number[];
}

export interface IntervalCurve {
  readonly value: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** @param tables of all rows, where the run is long and they are there by now */
export function deriveCurves(
  snapshot: RunSnapshot,
  gradientNorms: readonly number[],
  tables: readonly SeriesTable[] = [],
): RunCurves {
  const { steps, tests, norms, plan } = snapshot;
  const kept = keepNewest(steps.step);
  const step = pick(steps.step, kept);
  const timeMs = pick(steps.timeMs, kept);
  const keptNorms = keepNewest(norms.step);
  const firstMs = timeMs[0] ?? 0;
  const normStep = pick(norms.step, keptNorms);
  const gradientNorm = pick(gradientNorms, keptNorms);
  const series = new Map<string, BucketCurve>();
  for (const [tag, at, values] of [
    ['loss', step, pick(steps.loss, kept)],
    ['accuracy', step, pick(steps.accuracy, kept)],
    ['learningRate', step, pick(steps.learningRate, kept)],
    [gradientNormTag, normStep, gradientNorm],
  ] as const) {
    const curve = bucketCurve(tables, tag);
    if (curve) series.set(tag, extended(curve, at, values));
  }
  return {
    step,
    firstMs,
    elapsedMs: timeMs.map((time) => time - firstMs),
    loss: pick(steps.loss, kept),
    accuracy: pick(steps.accuracy, kept),
    learningRate: pick(steps.learningRate, kept),
    imagesPerSecond: throughput(step, timeMs, plan.training.batchSize),
    tests: deriveTests(tests),
    watch: deriveWatch(snapshot.watch),
    normStep,
    gradientNorm,
    series,
    stepsPerEpoch:
      snapshot.prepared?.stepsPerEpoch ?? Math.ceil((trainingSamples(plan.dataset) ?? 0) / plan.training.batchSize),
  };
}

/** x of each step on the chosen axis; time between two steps is that of the earlier one. */
export function axisValues(curves: RunCurves, step: readonly number[], axis: CurveAxis): readonly number[] {
  switch (axis) {
    case 'step':
      return step;
    case 'epoch':
      return step.map((value) => value / curves.stepsPerEpoch);
    case 'relative':
      return step === curves.step
        ? curves.elapsedMs
        : step.map((value) => curves.elapsedMs[indexAt(curves.step, value)] ?? 0);
    case 'wall':
      return axisValues(curves, step, 'relative').map((value) => curves.firstMs + value);
    default:
      return axis satisfies never;
  }
}

/** The steps of a stretch of the chosen axis. */
export function stepsOf(curves: RunCurves, range: Range, axis: CurveAxis): Range {
  switch (axis) {
    case 'step':
      return range;
    case 'epoch':
      return { from: range.from * curves.stepsPerEpoch, to: range.to * curves.stepsPerEpoch };
    case 'relative': {
      const last = indexAt(curves.elapsedMs, range.to) + 1;
      return {
        from: curves.step[indexAt(curves.elapsedMs, range.from)] ?? 0,
        to: curves.step[last] ?? curves.step.at(-1) ?? 0,
      };
    }
    case 'wall':
      return stepsOf(curves, { from: range.from - curves.firstMs, to: range.to - curves.firstMs }, 'relative');
    default:
      return axis satisfies never;
  }
}

/** From the first step to the newest, or the newest test; by step and epoch from 0, which a logarithm has no place for. */
export function wholeExtent(curves: RunCurves, { axis, xScale }: Pick<CurveView, 'axis' | 'xScale'>): Range {
  const last = Math.max(curves.step.at(-1) ?? 1, curves.tests.step.at(-1) ?? 0);
  const places = axisValues(curves, [...curves.step, last], axis);
  const to = places.at(-1) ?? 1;
  const from = xScale === 'log' ? (places.find((place) => place > 0) ?? 1) : axis === 'wall' ? curves.firstMs : 0;
  return { from, to: to > from ? to : from + 1 };
}

/**
 * Images a second over the eight points up to each.
 *
 * @returns as long as `step`; NaN for the first, and where the clock stood still.
 */
export function throughput(step: readonly number[], timeMs: readonly number[], batchSize: number): Float64Array {
  const window = 8;
  return Float64Array.from(step, (value, index) => {
    const before = Math.max(0, index - window);
    const seconds = ((timeMs[index] ?? 0) - (timeMs[before] ?? 0)) / 1000;
    return seconds > 0 ? ((value - (step[before] ?? 0)) * batchSize) / seconds : Number.NaN;
  });
}

/** Norm of all gradients at each row, kept between calls so that a live run costs only its new rows. */
export class GradientNorms {
  private source: readonly Float32Array[] | null = null;
  private values: number[] = [];

  of(gradients: readonly Float32Array[]): readonly number[] {
    if (gradients !== this.source) {
      this.source = gradients;
      this.values = [];
    }
    for (let row = this.values.length; row < gradients.length; row++) {
      let sum = 0;
      for (const norm of gradients[row]!) sum += norm * norm;
      this.values.push(Math.sqrt(sum));
    }
    return this.values;
  }
}

function deriveTests(tests: RunSnapshot['tests']): TestCurves {
  const kept = keepNewest(tests.step);
  const step = pick(tests.step, kept);
  const accuracy = pick(tests.accuracy, kept);
  const robustAccuracy = pick(tests.robustAccuracy, kept);
  const robustSamples = pick(tests.robustSamples, kept);
  const attacked = step.flatMap((_, index) => ((robustSamples[index] ?? 0) > 0 ? [index] : []));
  return {
    step,
    loss: pick(tests.loss, kept),
    auc: pick(tests.auc, kept),
    validation: pick(tests.validationAccuracy, kept),
    validationLoss: pick(tests.validationLoss, kept),
    validationRobust: pick(tests.validationRobustAccuracy, kept),
    clean: withIntervals(accuracy, pick(tests.samples, kept)),
    robust: {
      step: pick(step, attacked),
      ...withIntervals(pick(robustAccuracy, attacked), pick(robustSamples, attacked)),
    },
  };
}

function deriveWatch({ step, fgsm, pgd, cosine }: RunSnapshot['watch']): WatchCurves {
  const kept = keepNewest(step);
  return { step: pick(step, kept), fgsm: pick(fgsm, kept), pgd: pick(pgd, kept), cosine: pick(cosine, kept) };
}

function withIntervals(proportions: readonly number[], samples: readonly number[]): IntervalCurve {
  const intervals = proportions.map((value, index) =>
    wilsonInterval(value * (samples[index] ?? 0), samples[index] ?? 0),
  );
  return {
    value: proportions,
    low: intervals.map((interval) => interval.low),
    high: intervals.map((interval) => interval.high),
  };
}

function pick(values: readonly number[], kept: readonly number[] | null): readonly number[] {
  return kept ? kept.map((index) => values[index] ?? Number.NaN) : values;
}
