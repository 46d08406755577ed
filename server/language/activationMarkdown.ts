// What an activation function looks like and how it lets gradients pass, as Markdown.
import { activationFunction, type ActivationFunction, type FormulaActivation } from '../formula/activationFunction.ts';
import { cornersOf, gainOf, type Corner } from '../formula/analysis.ts';
import { FormulaError } from '../formula/parseFormula.ts';
import { curvePicture } from './curvePicture.ts';

/** Gain, picture and corners; null for a formula with a mistake, which is underlined anyway. */
export function activationMarkdown(plan: FormulaActivation): string | null {
  try {
    const described = activationFunction(plan);
    return [gainText(gainOf(described)), curvePicture(described), cornersText(described), startsText(described)]
      .filter((part) => part !== '')
      .join('\n\n');
  } catch (cause) {
    if (cause instanceof FormulaError) return null;
    throw cause;
  }
}

/** What the gain means for the deepest network that there is. */
function gainText(gain: number): string {
  if (!Number.isFinite(gain))
    return 'Gain per layer after batch normalisation: none, it is constant or not finite there.';
  const depth = 56;
  const times = gain ** depth;
  const meaning =
    Math.abs(gain - 1) < 5e-4
      ? 'gradients keep their size'
      : `over ${depth} layers gradients ${times > 1 ? 'grow' : 'shrink'} ${shortNumber(times > 1 ? times : 1 / times)} ×`;
  return `Gain per layer after batch normalisation: **${gain.toFixed(3)}** (${meaning}).`;
}

function cornersText(described: ActivationFunction): string {
  const corners = cornersOf(described);
  if (corners.length === 0) return 'Differentiable everywhere.';
  const shown = corners.slice(0, 4).map(cornerText);
  const more = corners.length > 4 ? ` and at ${corners.length - 4} more places` : '';
  return `Not differentiable at ${shown.join(', ')}${more}.`;
}

function cornerText({ x, isJump, slopes }: Corner): string {
  const place = `x = ${shortNumber(x)}`;
  return isJump ? `${place} (it jumps)` : `${place} (slope ${slopes.map(shortNumber).join(' → ')})`;
}

function startsText({ parameters }: ActivationFunction): string {
  if (parameters.length === 0 || parameters.length > 6) return '';
  return `Drawn at ${parameters.map(({ name, start }) => `${name} = ${shortNumber(start)}`).join(', ')}.`;
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}
