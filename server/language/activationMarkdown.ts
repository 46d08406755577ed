// What an activation function looks like as training starts and how it lets gradients pass, as Markdown.
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import type { FormulaActivation } from '../formula/activationFunction.ts';
import { cornersOf, gainOf, gainOfCurves, type Corner } from '../formula/analysis.ts';
import { curveOf } from '../formula/evaluate.ts';
import { FormulaError } from '../formula/parseFormula.ts';
import { plus, startCurves, startShape } from '../network/startShape.ts';
import { isKaf, kernelsOf, type ActivationPlan, type KafPlan, type SplinePlan } from '../protocol/plan.ts';
import { curvePicture, inputsTo } from './curvePicture.ts';
import { fixedNormals } from './fixedNormals.ts';

/** Gain, picture and corners; null for one that is no function of one input, and for one with a mistake, which is underlined anyway. */
export function activationMarkdown(plan: ActivationPlan): string | null {
  try {
    if (isFormulaActivation(plan)) return formulaMarkdown(plan);
    return isKaf(plan) || plan.type === 'spline' ? shapeMarkdown(plan) : null;
  } catch (cause) {
    if (cause instanceof FormulaError || cause instanceof RangeError) return null;
    throw cause;
  }
}

function formulaMarkdown(plan: FormulaActivation): string {
  const described = activationFunction(plan);
  const { formula, parameters } = described;
  const x = inputsTo(usualReach);
  const start = curveOf(
    formula,
    x,
    parameters.map((each) => each.start),
  );
  const isTold = parameters.length > 0 && parameters.length <= 6;
  const starts = `Drawn at ${parameters.map((each) => `${each.name} = ${shortNumber(each.start)}`).join(', ')}.`;
  return paragraphs(
    gainText(gainOf(described)),
    curvePicture(x, [start]),
    cornersText(cornersOf(described)),
    isTold ? starts : '',
  );
}

const usualReach = 5;

/** So many channels are drawn where each starts otherwise. */
const nDrawn = 3;

function shapeMarkdown(plan: KafPlan | SplinePlan): string {
  const shape = startShape(plan);
  const { noise } = shape;
  const gain = gainOfCurves((at) => {
    const { mean, columns } = startCurves(shape, at);
    return noise === 0 ? [mean] : [mean, ...columns.map((column) => times(column, noise))];
  }, 2000);
  const x = inputsTo(Math.max(usualReach, Math.ceil(1.2 * plan.boundary)));
  const { mean, columns } = startCurves(shape, x);
  const draws = fixedNormals(nDrawn * columns.length).map((z) => noise * z);
  const channels = Array.from({ length: nDrawn }, (_, channel) =>
    plus(mean, columns, draws.subarray(channel * columns.length)),
  );
  const deviation = x.map((_, at) => noise * Math.hypot(...columns.map(({ values }) => values[at]!)));
  return paragraphs(
    gainText(gain),
    noise === 0 ? curvePicture(x, [mean]) : curvePicture(x, channels, { middle: mean.values, deviation }),
    shapeCornersText(plan),
    noise === 0
      ? 'Drawn as every channel starts.'
      : `Channels start apart, by noise of ${shortNumber(noise)} on each coefficient: ${nDrawn} are drawn, and a standard deviation to either side.`,
  );
}

function times({ values, slopes }: ReturnType<typeof plus>, factor: number): ReturnType<typeof plus> {
  return { values: values.map((f) => factor * f), slopes: slopes.map((f) => factor * f) };
}

/** What the gain means for the deepest network that there is. */
function gainText(gain: number): string {
  if (!Number.isFinite(gain))
    return 'Gain per layer after batch normalisation: none, it is constant or not finite there.';
  const depth = 56;
  const factor = gain ** depth;
  const meaning =
    Math.abs(gain - 1) < 5e-4
      ? 'gradients keep their size'
      : `over ${depth} layers gradients ${factor > 1 ? 'grow' : 'shrink'} ${shortNumber(factor > 1 ? factor : 1 / factor)} ×`;
  return `Gain per layer after batch normalisation: **${gain.toFixed(3)}** (${meaning}).`;
}

function shapeCornersText(plan: KafPlan | SplinePlan): string {
  if (plan.type === 'spline') {
    const end = shortNumber(plan.boundary - (2 * plan.boundary) / (plan.points - 1));
    return `Differentiable but for its ends at x = ±${end}, beyond which it is constant.`;
  }
  return kernelsOf(plan).includes('relu') ? 'Not differentiable at its dictionary’s elements.' : smooth;
}

const smooth = 'Differentiable everywhere.';

function cornersText(corners: readonly Corner[]): string {
  if (corners.length === 0) return smooth;
  const shown = corners.slice(0, 4).map(cornerText);
  const more = corners.length > 4 ? ` and at ${corners.length - 4} more places` : '';
  return `Not differentiable at ${shown.join(', ')}${more}.`;
}

function cornerText({ x, isJump, slopes }: Corner): string {
  const place = `x = ${shortNumber(x)}`;
  return isJump ? `${place} (it jumps)` : `${place} (slope ${slopes.map(shortNumber).join(' → ')})`;
}

function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

function shortNumber(value: number): string {
  return (Math.abs(value) >= 1e6 ? value.toExponential(1) : String(Number(value.toPrecision(3)))).replace('-', '−');
}
