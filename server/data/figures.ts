// The ten figures of the data set `shapes`, each as a signed distance (negative inside, exact or nearly so near the outline)
// from a point in the figure's own coordinates, in which it fits into the unit circle.

export interface Figure {
  readonly name: string;
  readonly distance: (x: number, y: number) => number;
}

export const figures: readonly Figure[] = [
  { name: 'disk', distance: (x, y) => length(x, y) - 0.85 },
  { name: 'ring', distance: (x, y) => Math.abs(length(x, y) - 0.72) - 0.2 },
  { name: 'square', distance: (x, y) => box(x, y, 0.72) },
  { name: 'frame', distance: (x, y) => Math.abs(box(x, y, 0.6)) - 0.17 },
  { name: 'triangle', distance: (x, y) => Math.max(Math.abs(x) * 0.866 + y * 0.5, -y) - 0.5 },
  { name: 'cross', distance: cross },
  { name: 'star', distance: star },
  { name: 'bars', distance: (x, y) => Math.max(box(x, y, 0.8), Math.abs(wrap(y, 0.64)) - 0.16) },
  { name: 'checker', distance: (x, y) => Math.max(box(x, y, 0.78), checker(x, y)) },
  { name: 'crescent', distance: (x, y) => Math.max(length(x, y) - 0.95, 0.75 - length(x - 0.45, y)) },
];

function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

function box(x: number, y: number, half: number): number {
  return Math.max(Math.abs(x), Math.abs(y)) - half;
}

function cross(x: number, y: number): number {
  const horizontal = Math.max(Math.abs(x) - 0.95, Math.abs(y) - 0.26);
  const vertical = Math.max(Math.abs(y) - 0.95, Math.abs(x) - 0.26);
  return Math.min(horizontal, vertical);
}

/** Five points on the unit circle, the notches between at 0.42: by symmetry, one edge from a point to a notch is enough. */
function star(x: number, y: number): number {
  const fifth = (2 * Math.PI) / 5;
  const angle = Math.abs(wrap(Math.atan2(y, x), fifth));
  const r = length(x, y);
  const notchX = 0.42 * Math.cos(fifth / 2);
  const notchY = 0.42 * Math.sin(fifth / 2);
  return ((r * Math.cos(angle) - 1) * notchY + r * Math.sin(angle) * (1 - notchX)) / length(1 - notchX, notchY);
}

/** Squares of a 3×3 board, the corners filled. */
function checker(x: number, y: number): number {
  const cell = 0.52;
  const inColumn = cell / 2 - Math.abs(wrap(x, 2 * cell));
  const inRow = cell / 2 - Math.abs(wrap(y, 2 * cell));
  return inColumn * inRow > 0
    ? Math.min(Math.abs(inColumn), Math.abs(inRow)) * -1
    : Math.min(Math.abs(inColumn), Math.abs(inRow));
}

/** The value's distance, with sign, from the nearest multiple of the period. */
function wrap(value: number, period: number): number {
  return value - period * Math.round(value / period);
}
