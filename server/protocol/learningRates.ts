// What a sweep of learning rates tells: its points as they come, and which rates it suggests, with the reason.

export interface SweepOptions {
  /** The first and the last rate; between them each is the same multiple of the one before. */
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

export const usualSweep: SweepOptions = { from: 1e-6, to: 1, steps: 100 };

export interface SweepPoint {
  /** 1, 2, … */
  readonly step: number;
  readonly learningRate: number;
  /** Of the batch that the step is taken on, before it: what the rates before have come to. */
  readonly loss: number;
  /** The loss, its exponential average with the points before (0.9), corrected for its beginning. */
  readonly smoothed: number;
}

export interface Suggestion {
  readonly name: 'plateau-end' | 'valley' | 'steepest';
  readonly learningRate: number;
  /** One sentence. */
  readonly reason: string;
}

/** The sweep ends early where the smoothed loss is so many times its least, or a loss or a gradient is not finite. */
export const endsAboveLeast = 4;
/** Before so many points no sweep ends for its loss. */
const fewestPoints = 5;
const smoothing = 0.9;

/** The next point's exponential average, of all losses up to it. */
export function smoothedLoss(losses: readonly number[]): number {
  let average = 0;
  for (const loss of losses) average = smoothing * average + (1 - smoothing) * loss;
  return average / (1 - smoothing ** losses.length);
}

export function hasExploded(points: readonly SweepPoint[]): boolean {
  const last = points.at(-1);
  if (!last || !Number.isFinite(last.loss)) return true;
  const least = Math.min(...points.map(({ smoothed }) => smoothed));
  return points.length > fewestPoints && last.smoothed > endsAboveLeast * least;
}

/** From the finite points; empty where the loss never fell. In ascending order of their rates. */
export function suggestRates(all: readonly SweepPoint[]): Suggestion[] {
  const points = all.filter(({ smoothed }) => Number.isFinite(smoothed));
  const least = points.reduce((best, point, index) => (point.smoothed < points[best]!.smoothed ? index : best), 0);
  const start = points[0]?.smoothed ?? 0;
  const fall = start - (points[least]?.smoothed ?? 0);
  if (least < 2) return [];
  const falling = points.slice(0, least + 1);
  const plateauEnd = falling.findIndex(({ smoothed }) => start - smoothed >= fall / 10);
  const steepest = steepestOf(falling);
  const { from, to } = longestFall(falling);
  const valley = Math.round((from + 2 * to) / 3);
  const suggestions: Suggestion[] = [
    {
      ...{ name: 'plateau-end', learningRate: falling[plateauEnd]!.learningRate },
      reason: 'Here the loss has fallen by a tenth of what it will: smaller rates hardly learn.',
    },
    {
      ...{ name: 'valley', learningRate: falling[valley]!.learningRate },
      reason: 'Two thirds down the longest stretch on which the loss falls: fast, and still away from its turn.',
    },
    {
      ...{ name: 'steepest', learningRate: falling[steepest]!.learningRate },
      reason: 'Here the loss falls the fastest by the logarithm of the rate.',
    },
  ];
  return suggestions.sort((a, b) => a.learningRate - b.learningRate);
}

/** What a schedule's ends would be: from where the loss begins to fall to where it falls well. */
export function suggestedEnds(
  suggestions: readonly Suggestion[],
): { readonly min: number; readonly max: number } | null {
  const min = suggestions.find(({ name }) => name === 'plateau-end')?.learningRate;
  const max = Math.max(...suggestions.filter(({ name }) => name !== 'plateau-end').map((one) => one.learningRate));
  return min === undefined || !(max >= min) ? null : { min: rounded(min), max: rounded(max) };
}

/** Two digits are more than a sweep can tell. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}

function steepestOf(points: readonly SweepPoint[]): number {
  let best = 1;
  let slope = Infinity;
  for (let index = 1; index < points.length; index++) {
    const [before, here] = [points[index - 1]!, points[index]!];
    const own = (here.smoothed - before.smoothed) / Math.log(here.learningRate / before.learningRate);
    if (own < slope) [best, slope] = [index, own];
  }
  return best;
}

/** The longest stretch without a rise; of equal ones the first. */
function longestFall(points: readonly SweepPoint[]): { readonly from: number; readonly to: number } {
  let best = { from: 0, to: 0 };
  let from = 0;
  for (let index = 1; index <= points.length; index++) {
    if (index < points.length && points[index]!.smoothed < points[index - 1]!.smoothed) continue;
    if (index - 1 - from > best.to - best.from) best = { from, to: index - 1 };
    from = index;
  }
  return best;
}
