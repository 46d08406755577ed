// Which curves a run has, and what each says at the cursor. Colours by meaning: blue clean or the run itself, orange attacked.
import { gradientNormTag } from '../../server/protocol/series.ts';
import type { Criterion } from '../../server/protocol/choice.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Curve, YScale } from '../charts/curve.ts';
import type { BucketCurve } from '../curves/bucketCurve.ts';
import type { CurveAxis } from '../curves/curveView.ts';
import { indexAt } from '../curves/decimate.ts';
import { axisValues, type RunCurves } from '../curves/runCurves.ts';
import { smooth } from '../curves/smooth.ts';
import { formatCount, formatFraction, formatNumber, formatPercent, percentTick } from '../text/numbers.ts';
import { scheduleText } from '../text/planText.ts';
import type { Palette } from '../theme/palette.ts';
import type { DashboardView } from './view.ts';

export interface CurveCard {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly curves: readonly Curve[];
  readonly yScale: YScale;
  readonly formatY: ((value: number) => string) | null;
  /** Values at x, or the newest for null. */
  read(x: number | null): readonly CardValue[];
}

export interface CardValue {
  readonly name: string;
  readonly text: string;
  readonly tone: 'clean' | 'attacked' | 'plain';
}

export function buildCards(
  snapshot: RunSnapshot,
  curves: RunCurves,
  view: DashboardView,
  palette: Palette,
): readonly CurveCard[] {
  const { plan } = snapshot;
  const isAdversarial = plan.training.threat !== null;
  const trained = isAdversarial ? palette.attacked : palette.clean;
  const trainedTone = isAdversarial ? 'attacked' : 'plain';
  const batch = isAdversarial ? 'attacked batch' : 'train batch';
  const x = axisValues(curves, curves.step, view.axis);
  const testX = axisValues(curves, curves.tests.step, view.axis);
  const robustX = axisValues(curves, curves.tests.robust.step, view.axis);
  const normX = axisValues(curves, curves.normStep, view.axis);
  const { tests } = curves;
  const ofAverage = plan.training.weightAverage ? ' of averaged weights' : '';

  const line = (tag: string, name: string, sampled: { x: readonly number[]; y: readonly number[] }, color: string) => {
    const whole = curves.series.get(tag);
    if (!whole) return rawAndSmooth(name, sampled.x, sampled.y, color, view.smoothing);
    return ofBuckets(name, whole, (step) => axisValues(curves, step, view.axis), color);
  };
  const allRates = curves.series.get('learningRate');
  const learningRate = allRates
    ? { x: axisValues(curves, allRates.step, view.axis), y: allRates.value }
    : { x, y: curves.learningRate };
  const loss = line('loss', 'loss', { x, y: curves.loss }, trained);
  const accuracy = line('accuracy', 'accuracy', { x, y: curves.accuracy }, trained);
  const gradient = line(gradientNormTag, 'gradient norm', { x: normX, y: curves.gradientNorm }, palette.clean);
  const rate = rawAndSmooth('images/s', x, curves.imagesPerSecond, palette.rate, view.smoothing);
  const byLoss = { name: 'kept back, chooses', x: testX, y: tests.validationLoss, color: palette.rate };
  const keptLoss = choosesBy(plan) === 'loss' ? [{ ...byLoss, hasDots: true, isDashed: true, width: 1 }] : [];
  const cards: CurveCard[] = [
    {
      id: 'loss',
      title: 'loss',
      subtitle: tests.step.length > 0 ? `${batch} · test${ofAverage} as dots` : batch,
      curves: [
        ...loss.curves,
        { name: 'test loss', x: testX, y: tests.loss, color: palette.clean, hasDots: true, isDashed: true, width: 1 },
        ...keptLoss,
      ],
      yScale: view.yScale,
      formatY: null,
      read: (at) => {
        const trainedOn: CardValue = { name: batch, text: formatNumber(loss.valueAt(at)), tone: trainedTone };
        const test = formatNumber(valueAt(testX, tests.loss, at));
        return tests.step.length > 0 ? [trainedOn, { name: 'test', text: test, tone: 'clean' }] : [trainedOn];
      },
    },
    {
      id: 'accuracy',
      title: 'batch accuracy',
      subtitle: batch,
      curves: accuracy.curves,
      yScale: 'linear',
      formatY: percentTick,
      read: (at) => [{ name: batch, text: formatPercent(accuracy.valueAt(at)), tone: trainedTone }],
    },
  ];
  if (tests.step.length > 0) cards.push(testCard(snapshot, curves, { testX, robustX }, palette));
  if (curves.watch.step.length > 0) cards.push(watchCard(snapshot, curves, view.axis, palette));
  cards.push({
    id: 'rate',
    title: 'learning rate',
    subtitle: scheduleText(plan.training.schedule),
    curves: [{ name: 'learning rate', ...learningRate, color: palette.clean }],
    yScale: view.yScale,
    formatY: null,
    read: (at) => [
      { name: 'learning rate', text: formatNumber(valueAt(learningRate.x, learningRate.y, at), 3), tone: 'plain' },
    ],
  });
  if (curves.normStep.length > 0) {
    cards.push({
      id: 'gradient',
      title: 'gradient norm',
      subtitle: 'all parameters · log',
      curves: gradient.curves,
      yScale: 'log',
      formatY: null,
      read: (at) => [{ name: 'norm', text: formatNumber(gradient.valueAt(at), 3), tone: 'plain' }],
    });
  }
  cards.push({
    id: 'throughput',
    title: 'images/s',
    subtitle: snapshot.run.device ?? 'throughput',
    // The first point has no pace yet, which is no trouble to be marked.
    curves: rate.curves.map((curve) => ({ ...curve, hasNoMarks: true })),
    yScale: view.yScale,
    formatY: null,
    read: (at) => {
      const pace = rate.valueAt(at);
      return [{ name: 'images a second', text: Number.isFinite(pace) ? formatCount(pace) : '–', tone: 'plain' }];
    },
  });
  if (!snapshot.divergence) return cards;
  const end = axisValues(curves, [snapshot.divergence.step], view.axis);
  return cards.map((card) => withEnd(card, end, palette.nonFinite));
}

/** Where training diverged is marked on every card; on those of what was not finite it is so by their own values. */
function withEnd(card: CurveCard, x: readonly number[], color: string): CurveCard {
  const hasMark = card.curves.some(({ y, hasNoMarks }) => !hasNoMarks && !Array.from(y).every(Number.isFinite));
  if (hasMark) return card;
  return { ...card, curves: [...card.curves, { name: 'diverged', x, y: [Number.NaN], color, hasNoLine: true }] };
}

/** `step 14,520: loss 1.402, batch accuracy 57.8 %, …`, as recorded, without smoothing. */
export function cursorSentence(curves: RunCurves, axis: CurveAxis, at: number): string {
  const index = indexAt(axisValues(curves, curves.step, axis), at);
  const step = curves.step[index] ?? 0;
  const parts = [
    `loss ${formatNumber(curves.loss[index] ?? Number.NaN)}`,
    `batch ${formatPercent(curves.accuracy[index] ?? Number.NaN)}`,
    `rate ${formatNumber(curves.learningRate[index] ?? Number.NaN, 3)}`,
  ];
  const test = indexAt(curves.tests.step, step);
  if (test >= 0 && (curves.tests.step[test] ?? Infinity) <= step) {
    parts.push(`test loss ${formatNumber(curves.tests.loss[test] ?? Number.NaN)}`);
    parts.push(`clean ${withMargin(curves.tests.clean, test)}`);
    const robust = indexAt(curves.tests.robust.step, step);
    if (robust >= 0) parts.push(`robust ${withMargin(curves.tests.robust, robust)}`);
  }
  return `step ${formatCount(step)}: ${parts.join(', ')}`;
}

function testCard(
  snapshot: RunSnapshot,
  { tests }: RunCurves,
  axes: { testX: readonly number[]; robustX: readonly number[] },
  palette: Palette,
): CurveCard {
  const { observe, training } = snapshot.plan;
  const hasRobust = tests.robust.value.length > 0;
  const threat = formatFraction(training.threat?.epsilon ?? 8 / 255);
  const weights = training.weightAverage ? 'averaged · ' : '';
  const curves: Curve[] = [
    { name: 'clean', x: axes.testX, y: tests.clean.value, color: palette.clean, hasDots: true, band: tests.clean },
  ];
  // Of validation and of AUC lines in the colours of curves that this card does not otherwise have.
  const chooses = choosesBy(snapshot.plan);
  const more = [
    { name: `kept back${chooses === 'accuracy' ? ', chooses' : ''}`, y: tests.validation, color: palette.rate },
    { name: 'kept back, attacked, chooses', y: tests.validationRobust, color: palette.attacked, isDashed: true },
    { name: 'AUC', y: tests.auc, color: palette.slope },
  ].filter(({ y }) => y.some((value) => !Number.isNaN(value)));
  for (const { name, y, color, isDashed = false } of more)
    curves.push({ name, x: axes.testX, y, color, hasDots: true, isDashed });
  if (hasRobust) {
    curves.push({
      name: 'robust',
      x: axes.robustX,
      y: tests.robust.value,
      color: palette.attacked,
      hasDots: true,
      band: tests.robust,
    });
  }
  return {
    id: 'test',
    title: 'test accuracy',
    subtitle: hasRobust
      ? `${weights}clean · PGD-${observe.robustSteps.toString()} ${threat}, ${formatCount(observe.robustSamples)} images · 95 %`
      : `${weights}clean · ${formatCount(snapshot.tests.samples.at(-1) ?? 0)} samples · 95 %`,
    curves,
    yScale: 'linear',
    formatY: percentTick,
    read: (at) => {
      const clean: CardValue = {
        name: 'clean',
        text: formatPercent(valueAt(axes.testX, tests.clean.value, at)),
        tone: 'clean',
      };
      const others = more.map(({ name, y }): CardValue => {
        const value = valueAt(axes.testX, y, at);
        return { name, text: name === 'AUC' ? formatNumber(value, 4) : formatPercent(value), tone: 'plain' };
      });
      if (!hasRobust) return [clean, ...others];
      const robust = formatPercent(valueAt(axes.robustX, tests.robust.value, at));
      return [clean, ...others, { name: 'robust', text: robust, tone: 'attacked' }];
    },
  };
}

/** What early stopping or the best checkpoint go by, on the samples kept back; null where nothing is chosen by them. */
function choosesBy({ training, checkpoints, dataset }: RunSnapshot['plan']): Criterion | null {
  const isAsked = training.earlyStopping ?? (checkpoints.keep !== 'all' && checkpoints.keep.best);
  return isAsked && (dataset.validationSamples ?? 0) > 0 ? (training.chooseBy ?? 'accuracy') : null;
}

/** One step against many, on images of the watch; a collapse is said in the subtitle. */
function watchCard(snapshot: RunSnapshot, curves: RunCurves, axis: CurveAxis, palette: Palette): CurveCard {
  const { watch } = curves;
  const x = axisValues(curves, watch.step, axis);
  const collapse = snapshot.collapses.at(-1);
  const samples = formatCount(snapshot.watch.samples.at(-1) ?? 0);
  const { watch: plan, weightAverage } = snapshot.plan.training;
  const steps = plan?.steps ?? 10;
  const weights = weightAverage ? 'weights as trained · ' : '';
  const lines = [
    { name: 'FGSM', y: watch.fgsm, color: palette.clean, tone: 'clean' },
    { name: `PGD-${steps.toString()}`, y: watch.pgd, color: palette.attacked, tone: 'attacked' },
    { name: 'cosine', y: watch.cosine, color: palette.rate, tone: 'plain' },
  ] as const;
  return {
    id: 'watch',
    title: 'watch',
    subtitle: collapse
      ? `collapsed at step ${formatCount(collapse.step)}${collapse.to === null ? '' : `, back to ${formatCount(collapse.to)}`}`
      : `${weights}one step against many · ${samples} images · no collapse`,
    curves: lines.map(({ name, y, color }) => ({ name, x, y, color, hasDots: true, isDashed: name === 'cosine' })),
    yScale: 'linear',
    formatY: percentTick,
    read: (at) =>
      lines.map(({ name, y, tone }) => {
        const value = valueAt(x, y, at);
        return { name, text: name === 'cosine' ? formatNumber(value, 2) : formatPercent(value), tone };
      }),
  };
}

function rawAndSmooth(
  name: string,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  color: string,
  weight: number,
): { curves: Curve[]; valueAt(at: number | null): number } {
  if (weight === 0) return { curves: [{ name, x, y, color }], valueAt: (at) => valueAt(x, y, at) };
  const smoothed = smooth(y, weight);
  return {
    curves: [
      { name: `${name}, raw`, x, y, color, width: 1, opacity: 0.3 },
      { name, x, y: smoothed, color, width: 1.7, hasNoMarks: true },
    ],
    // A value that is not finite is told as such, however smooth the rest.
    valueAt: (at) => {
      const raw = valueAt(x, y, at);
      return Number.isFinite(raw) ? valueAt(x, smoothed, at) : raw;
    },
  };
}

/** Of a long run: its buckets as they are, and the moving average that the server made over every row. */
function ofBuckets(
  name: string,
  { step, value, smooth: average }: BucketCurve,
  toX: (step: readonly number[]) => readonly number[],
  color: string,
): { curves: Curve[]; valueAt(at: number | null): number } {
  const raw = { x: toX(step), y: value };
  if (!average) return { curves: [{ name, ...raw, color }], valueAt: (at) => valueAt(raw.x, raw.y, at) };
  const smoothX = toX(average.step);
  return {
    curves: [
      { name: `${name}, raw`, ...raw, color, width: 1, opacity: 0.3 },
      { name, x: smoothX, y: average.value, color, width: 1.7, hasNoMarks: true },
    ],
    valueAt: (at) => {
      const exact = valueAt(raw.x, raw.y, at);
      // Zoomed in, the average ends where the picture does; the newest value is then one of its own.
      const isPast = at === null && (average.step.at(-1) ?? 0) < 0.98 * (step.at(-1) ?? 0);
      return Number.isFinite(exact) && !isPast ? valueAt(smoothX, average.value, at) : exact;
    },
  };
}

function valueAt(x: ArrayLike<number>, y: ArrayLike<number>, at: number | null): number {
  const index = at === null ? y.length - 1 : indexAt(x, at);
  return y[index] ?? Number.NaN;
}

function withMargin(
  interval: { value: readonly number[]; low: readonly number[]; high: readonly number[] },
  index: number,
): string {
  const half = ((interval.high[index] ?? Number.NaN) - (interval.low[index] ?? Number.NaN)) / 2;
  return `${formatPercent(interval.value[index] ?? Number.NaN)} ± ${(half * 100).toFixed(1)}`;
}
