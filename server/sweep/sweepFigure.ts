// Clean against robust accuracy of a sweep's settings, as a picture (SVG) that stands alone or within a page: means with their deviations,
// those that no other beats in both filled and joined.
import type { Measure, SweepTable } from './sweepTable.ts';

const [width, height] = [720, 440];
/** Of the frame, in which means lie. */
const frame = { left: 56, right: 560, top: 28, bottom: 388 };
const lineHeight = 15;
const accent = '#1f6feb';

interface Point {
  readonly label: string;
  readonly clean: Measure;
  readonly robust: Measure;
  readonly isPareto: boolean;
}

/** Empty where nothing was attacked. */
export function sweepFigure({ rows, columns }: SweepTable): string {
  const points = rows.flatMap(({ labels, measures: [clean, robust], isPareto }): Point[] =>
    clean && robust ? [{ label: labels.join(' · '), clean, robust, isPareto }] : [],
  );
  if (points.length === 0) return '';
  const x = scaleOf(
    points.map(({ clean }) => clean),
    frame.left,
    frame.right,
  );
  const y = scaleOf(
    points.map(({ robust }) => robust),
    frame.bottom,
    frame.top,
  );
  const front = points.filter(({ isPareto }) => isPareto).sort((a, b) => a.clean.mean - b.clean.mean);
  const frontPath = front.map(({ clean, robust }) => `${fixed(x.at(clean.mean))} ${fixed(y.at(robust.mean))}`);
  const title = columns[1]?.title ?? '';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" font-family="sans-serif" font-size="12" fill="currentColor" role="img" aria-label="clean accuracy against ${xmlText(title)}">`,
    ...x.ticks.map(
      (tick) =>
        line(x.at(tick), frame.top, x.at(tick), frame.bottom, 0.15) +
        text(x.at(tick), frame.bottom + 16, percent(tick), 'middle'),
    ),
    ...y.ticks.map(
      (tick) =>
        line(frame.left, y.at(tick), frame.right, y.at(tick), 0.15) +
        text(frame.left - 6, y.at(tick) + 4, percent(tick), 'end'),
    ),
    line(frame.left, frame.top, frame.left, frame.bottom, 0.6),
    line(frame.left, frame.bottom, frame.right, frame.bottom, 0.6),
    text((frame.left + frame.right) / 2, height - 14, 'clean accuracy, %', 'middle'),
    text(frame.left, frame.top - 12, `${title}, %`),
    front.length > 1
      ? `<path d="M${frontPath.join('L')}" fill="none" stroke="${accent}" stroke-dasharray="4 3" opacity="0.7"/>`
      : '',
    ...points.map(({ clean, robust, isPareto }) => {
      const [cx, cy] = [x.at(clean.mean), y.at(robust.mean)];
      const bars = [
        ...(clean.std === null ? [] : [line(x.at(clean.mean - clean.std), cy, x.at(clean.mean + clean.std), cy, 0.5)]),
        ...(robust.std === null
          ? []
          : [line(cx, y.at(robust.mean - robust.std), cx, y.at(robust.mean + robust.std), 0.5)]),
      ];
      return `${bars.join('')}<circle cx="${fixed(cx)}" cy="${fixed(cy)}" r="5" stroke="${accent}" fill="${isPareto ? accent : 'none'}"/>`;
    }),
    ...labelsOf(points, x, y),
    '</svg>',
  ].join('');
}

/** Beside their points, and below one another where they would cover each other. */
function labelsOf(points: readonly Point[], x: Scale, y: Scale): string[] {
  const placed: { readonly left: number; readonly right: number; readonly y: number }[] = [];
  const byHeight = points.toSorted((a, b) => b.robust.mean - a.robust.mean);
  return byHeight.map(({ label, clean, robust }) => {
    const [cx, cy] = [x.at(clean.mean), y.at(robust.mean)];
    const left = Math.max(cx + 5, x.at(clean.mean + (clean.std ?? 0))) + 4;
    const right = left + label.length * 7;
    let top = cy + 4;
    const isCovered = () =>
      placed.some((other) => other.left < right && left < other.right && Math.abs(other.y - top) < lineHeight);
    while (isCovered()) top += 1;
    placed.push({ left, right, y: top });
    const lead = top - cy > lineHeight ? line(cx, cy, left - 2, top - 4, 0.5) : '';
    return lead + text(left, top, label);
  });
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Over all means with their deviations and a little more. */
function scaleOf(measures: readonly Measure[], from: number, to: number): Scale {
  const ends = measures.flatMap(({ mean, std }) => [mean - (std ?? 0), mean + (std ?? 0)]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(0.005, (most - least) * 0.06);
  const [low, high] = [least - room, most + room];
  const step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find((size) => (high - low) / size <= 8) ?? 0.5;
  const first = Math.ceil(low / step);
  const nTicks = Math.max(0, Math.floor(high / step) - first + 1);
  return {
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: nTicks }, (_, index) => (first + index) * step),
  };
}

function line(x1: number, y1: number, x2: number, y2: number, opacity: number): string {
  return `<path d="M${fixed(x1)} ${fixed(y1)}L${fixed(x2)} ${fixed(y2)}" stroke="currentColor" opacity="${String(opacity)}"/>`;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${xmlText(content)}</text>`;
}

function percent(share: number): string {
  return String(Number((share * 100).toFixed(1)));
}

function fixed(value: number): string {
  return value.toFixed(1);
}

/** For HTML, too. */
export function xmlText(content: string): string {
  return content.replace(/[&<>"]/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}
