// Numbers as people read them: figures, counts, percentages, sizes, fractions. Pure; no locale but English digits.

const minus = '−';

/** At most `digits` significant figures; `1.317`, `0.00012`, `1.2e−7`, `NaN`, `+∞`. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number(size.toPrecision(digits)) >= 1e6 || size < 1e-4)
    return signed(value.toExponential(Math.max(0, Math.min(digits, 3) - 1)).replace('e+', 'e'));
  // As it is shown: 9,999.6 with four digits is 10,000.
  const rounded = Number(size.toPrecision(digits));
  if (rounded >= 10 ** digits) return formatCount(value);
  return signed(value.toPrecision(digits));
}

/** `4,681` */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  return signed(
    Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+(?!\d))/g, ','),
  );
}

/** `64.1 %` of a proportion in [0, 1]. */
export function formatPercent(proportion: number, decimals = 1): string {
  if (!Number.isFinite(proportion)) return formatNonFinite(proportion);
  return `${signed((proportion * 100).toFixed(decimals))} %`;
}

/** `2.3 MB`, in powers of ten. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value.toString() : value.toPrecision(value < 10 ? 2 : 3)} ${units[unit] ?? ''}`;
}

/** Short, for an axis: `5k`, `1.5M`, `0.25`, `5e−4`. */
export function formatTick(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < smallestWrittenOut) return formatPower(value);
  if (size >= 1e6) return `${signed(trim(value / 1e6))}M`;
  if (size >= 1e4 || (size >= 1e3 && value % 100 === 0)) return `${signed(trim(value / 1e3))}k`;
  return signed(trim(value));
}

/** Below it a number written out is wider than its power of ten. */
const smallestWrittenOut = 1e-3;

/** `formatTick` for a whole axis: where one tick needs a power of ten, all have one, as `5e−4`, `1e−3`, `1.5e−3`. */
export function tickFormat(ticks: readonly number[]): (value: number) => string {
  const needsPower = ticks.some((tick) => tick !== 0 && Math.abs(tick) < smallestWrittenOut);
  return needsPower ? formatPower : formatTick;
}

/** Power of ten as a log axis shows it: `1e−2`, `0.1`, `1`, `10`, `100`, `1e3`. */
export function formatDecade(value: number): string {
  const exponent = Math.round(Math.log10(value));
  return exponent >= -1 && exponent <= 2 ? trim(value) : signed(`1e${exponent.toString()}`);
}

/** `8/255` where the value is a whole number of 255ths, else the number. */
export function formatFraction(value: number): string {
  const parts = value * 255;
  const whole = Math.round(parts);
  return whole > 0 && Math.abs(parts - whole) < 1e-6 && value < 1 ? `${whole.toString()}/255` : formatNumber(value, 4);
}

/** `8/255` or `0.03` as a number; NaN where the text is neither. */
export function parseFraction(text: string): number {
  const match = /^\s*(\d+(?:\.\d*)?|\.\d+)(?:\s*\/\s*(\d+(?:\.\d*)?|\.\d+))?\s*$/.exec(text);
  if (!match) return Number.NaN;
  return Number(match[1]) / Number(match[2] ?? 1);
}

/** `3×3×32×64`; `scalar` for no axes. */
export function formatShape(shape: readonly number[]): string {
  return shape.length > 0 ? shape.join('×') : 'scalar';
}

export function formatNonFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+∞' : `${minus}∞`;
}

function formatPower(value: number): string {
  return value === 0 ? '0' : signed(Number(value.toPrecision(3)).toExponential().replace('e+', 'e'));
}

function trim(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

function signed(text: string): string {
  return text.replaceAll('-', minus);
}

/** Of an axis of proportions: `62.5`, in per cent. */
export function percentTick(value: number): string {
  return Number((value * 100).toPrecision(4)).toString();
}

/** A distance between images under L∞, in 255ths. */
export function pixelTick(value: number): string {
  return value === 0 ? '0' : `${Number((value * 255).toPrecision(3)).toString()}/255`;
}
