// Where an axis has its ticks.

const most = 8;
const fewest = 3;
/** Significant digits of a tick. Values that differ in none of them are one place, and their distance is no step to count by. */
const digits = 12;
/** Below it doubles have fewer digits than that. */
const smallest = 1e-290;

/**
 * Round values (1, 2, 2.5, 5 × 10ⁿ apart) within [low, high], about `count` of them.
 *
 * @param unit what the distance is a multiple of: 1 where only whole numbers mean something; 0 for any distance.
 */
export function linearTicks(low: number, high: number, count: number, unit = 0): number[] {
  const span = high - low;
  const least = Math.max(Math.abs(low), Math.abs(high), smallest) * 10 ** (1 - digits);
  if (!(span > least) || !Number.isFinite(span)) return Number.isFinite(low) ? [low] : [];
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const fits = (step: number): boolean => step >= rough * 0.999 && (unit === 0 || Number.isInteger(step / unit));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find(fits) ?? Math.max(10 * power, unit);
  const first = Math.ceil(low / step - 1e-9);
  const places = Math.floor(high / step + 1e-9) - first + 1;
  const ticks = Array.from({ length: Math.max(0, places) }, (_, index) =>
    Number(((first + index) * step).toPrecision(digits)),
  );
  // Two ticks tell no scale from another: the next smaller distance has more, unless there are no more units.
  return ticks.length < fewest && count < most ? linearTicks(low, high, count + 1, unit) : ticks;
}

/** Of columns that each hold a span of steps: which have a tick, no two within `columnsApart`, and the step that it names. */
export function columnTicks(
  columns: readonly { readonly firstStep: number; readonly lastStep: number }[],
  { count, columnsApart }: { readonly count: number; readonly columnsApart: number },
): { column: number; step: number }[] {
  const first = columns[0]?.firstStep;
  const last = columns.at(-1)?.lastStep;
  if (first === undefined || last === undefined) return [];
  const ticks: { column: number; step: number }[] = [];
  for (const step of linearTicks(first, last, count, 1)) {
    const column = columns.findIndex(({ lastStep }) => lastStep >= step);
    const previous = ticks.at(-1);
    if (previous && column - previous.column < Math.max(1, columnsApart)) continue;
    // Between two recorded steps the tick names the one that its column shows.
    ticks.push({ column, step: Math.max(step, columns[column]!.firstStep) });
  }
  return ticks;
}

/** Powers of ten within [low, high], thinned to about `count`; below two decades 1, 2 and 5 times them. */
export function logTicks(low: number, high: number, count: number): number[] {
  if (!(low > 0) || !(high > low)) return [];
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const decades = last - first + 1;
  if (decades >= 3) {
    const every = Math.max(1, Math.min(Math.ceil(decades / count), Math.floor((decades - 1) / (fewest - 1))));
    return Array.from({ length: decades }, (_, index) => 10 ** (first + index)).filter(
      (_, index) => index % every === 0,
    );
  }
  const ticks: number[] = [];
  for (let exponent = first - 1; exponent <= last + 1; exponent++) {
    for (const factor of [1, 2, 5]) {
      const tick = Number((factor * 10 ** exponent).toPrecision(digits));
      if (tick >= low * 0.999999 && tick <= high * 1.000001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, count);
}
