// f and f′ of an activation function as a picture for hovers: an SVG in a data URI. Hovers know no theme, so its colours are ones
// that stand out on dark and light alike.
import type { Curve } from '../formula/shape.ts';

const size = { width: 280, height: 150 };
const colors = { value: '#3794ff', slope: '#d18616', axis: '#8a8a8a' } as const;

/** As many inputs as the picture has pixels, evenly on ±reach. */
export function inputsTo(reach: number): Float64Array {
  return Float64Array.from({ length: size.width + 1 }, (_, i) => -reach + (i * 2 * reach) / size.width);
}

/** What lies within a deviation of the middle. */
export interface Band {
  readonly middle: Float64Array;
  readonly deviation: Float64Array;
}

/**
 * Markdown of the picture, with a text for those who can't see it. One curve is drawn with its derivative, several are not.
 * @param x as `inputsTo` makes them
 */
export function curvePicture(x: Float64Array, curves: readonly Curve[], band?: Band): string {
  const reach = x.at(-1)!;
  const slopes = curves.length === 1 ? [curves[0]!.slopes] : [];
  const edges = band ? [-1, 1].map((side) => band.middle.map((f, i) => f + side * band.deviation[i]!)) : [];
  const [low, high] = rangeOf(
    [...curves.map(({ values }) => values), ...slopes, ...edges].flatMap((each) => [...each]),
  );
  const toX = (at: number) => ((at + reach) / (2 * reach)) * size.width;
  const toY = (at: number) => size.height - ((at - low) / (high - low)) * size.height;
  const path = (curve: Float64Array) => pathOf(curve, (i) => toX(x[i]!), toY);
  const line = (curve: Float64Array, color: string, dash: string) =>
    `<path d="${path(curve)}" fill="none" stroke="${color}" stroke-width="${curves.length === 1 ? 2 : 1.5}"${dash}/>`;
  const label = (at: number, text: string, color: string) =>
    `<text x="${at}" y="12" fill="${color}" font-family="sans-serif" font-size="12">${text}</text>`;
  const [lower, upper] = edges;
  const back = upper && pathOf(upper.toReversed(), (i) => toX(x[upper.length - 1 - i]!), toY).replace('M', 'L');
  const area = lower && `<path d="${path(lower)}${back}Z" fill="${colors.value}" fill-opacity="0.2"/>`;
  const every = Math.ceil(reach / 5) * 2;
  const marks = integersBetween(-reach / every, reach / every)
    .map((at) => at * every)
    .filter((at) => Math.abs(at) < reach);
  const axes =
    `<path d="M0 ${round(toY(0))}H${size.width}M${round(toX(0))} 0V${size.height}" stroke="${colors.axis}" stroke-width="1"/>` +
    marks.map((at) => mark(toX(at), toY(0) - 3, 'v6') + number(at, toX(at) - 4, toY(0) + 13)).join('') +
    integersBetween(low, high)
      .map((at) => mark(toX(0) - 3, toY(at), 'h6') + number(at, toX(0) + 6, toY(at) + 4))
      .join('');
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${area ?? ''}${axes}` +
    slopes.map((curve) => line(curve, colors.slope, ' stroke-dasharray="5 3"')).join('') +
    curves.map(({ values }) => line(values, colors.value, '')).join('') +
    `${label(6, 'f', colors.value)}${slopes.length > 0 ? label(22, 'f′', colors.slope) : ''}</svg>`;
  const text = `f${slopes.length > 0 ? ' and its derivative' : ` of ${curves.length} channels`} from −${reach} to ${reach}`;
  return `![${text}](data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')})`;
}

/** What shows the curves without what runs away: at least −1 to 1, at most −2 to 5. */
function rangeOf(values: readonly number[]): [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  const low = Math.max(-2, Math.min(-0.5, ...finite));
  const high = Math.min(5, Math.max(1, ...finite));
  // Room for the numbers below the axis.
  return [Math.min(low - 0.15, -0.1 * high), high + 0.15];
}

/** Broken where a value is not finite. */
function pathOf(curve: Float64Array, toX: (index: number) => number, toY: (value: number) => number): string {
  let isDown = false;
  let path = '';
  curve.forEach((value, index) => {
    if (!Number.isFinite(value) || Math.abs(value) > 1000) {
      isDown = false;
      return;
    }
    path += `${isDown ? 'L' : 'M'}${round(toX(index))} ${round(toY(value))}`;
    isDown = true;
  });
  return path;
}

function mark(x: number, y: number, way: string): string {
  return `<path d="M${round(x)} ${round(y)}${way}" stroke="${colors.axis}"/>`;
}

function number(value: number, x: number, y: number): string {
  const place = `x="${round(x)}" y="${round(y)}"`;
  return `<text ${place} fill="${colors.axis}" font-family="sans-serif" font-size="10">${String(value).replace('-', '−')}</text>`;
}

function integersBetween(low: number, high: number): number[] {
  const first = Math.ceil(low);
  return Array.from({ length: Math.floor(high) - first + 1 }, (_, i) => first + i).filter((at) => at !== 0);
}

function round(value: number): string {
  return String(Number(value.toFixed(1)));
}
