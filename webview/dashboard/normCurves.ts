// The norms as curves: one line over all steps, all lines, and all layers at one step.
import { depthGain, type DepthKind } from '../../server/health/depthGain.ts';
import type { NormColumns, RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Curve } from '../charts/curve.ts';
import type { BucketCurve } from '../curves/bucketCurve.ts';
import type { Range } from '../curves/decimate.ts';
import { normAt, type NormLine, type NormQuantity, type NormTable } from '../curves/normTable.ts';
import { smooth } from '../curves/smooth.ts';
import { formatCount } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';

export interface DepthCurves {
  readonly curves: readonly Curve[];
  readonly ticks: readonly number[];
  /** Of the layers, by tick. */
  readonly names: readonly string[];
  /** By what factor the norm grows from a layer to the next, and how many have no say in that. */
  readonly said: string;
}

/** Every row of one line, raw and smoothed. @param whole of a long run, of which the columns have some rows */
export function singleCurve(
  norms: NormColumns,
  table: NormTable,
  line: NormLine,
  palette: Palette,
  whole: BucketCurve | null = null,
): Curve[] {
  const color = palette.clean;
  if (whole?.smooth) {
    const { step: x, value: y, smooth: average } = whole;
    return [
      { name: line.name, x, y, color, width: 1, opacity: 0.35 },
      { name: `${line.name}, smooth`, x: average.step, y: average.value, color, width: 1.7, hasNoMarks: true },
    ];
  }
  const { x, y } = wholeCurve(norms, table, line);
  return [
    { name: line.name, x, y, color, width: 1, opacity: 0.35 },
    { name: `${line.name}, smooth`, x, y: smooth(y, 0.9), color, width: 1.7, hasNoMarks: true },
  ];
}

/** Lines whose lowest and highest are drawn beside their mean. */
const mostBands = 12;

/** The mean of each of the table's buckets, between its lowest and highest; zoomed in, from the rows themselves, so that a zoom is exact. */
export function allLines(
  norms: NormColumns,
  table: NormTable,
  options: {
    hidden: ReadonlySet<string>;
    /** Name of the line that stands out. */
    chosen: string | null;
    /** Zoomed in on, where the columns have all rows. */
    range: Range | null;
    colorOf(index: number): string;
  },
): Curve[] {
  const nShown = table.lines.filter(({ name }) => !options.hidden.has(name)).length;
  return table.lines.flatMap((line, index): Curve[] => {
    if (options.hidden.has(line.name)) return [];
    const color = options.colorOf(index);
    const isChosen = line.name === options.chosen;
    const width = isChosen ? 2.2 : 1.3;
    if (options.range) return [{ name: line.name, ...wholeCurve(norms, table, line), color, width }];
    const { band, ...mean } = table.curve(index);
    // Of many, bands would hide one another.
    const hasBand = isChosen || nShown <= mostBands;
    return [{ name: line.name, ...mean, color, width: hasBand ? width : 1, ...(hasBand && { band }) }];
  });
}

/**
 * The tensors of one kind, in the network's order, at a row of the log, with the geometric growth that fits them: of gradients on the
 * way back, of weights on the way forth.
 */
export function acrossDepth(
  { norms, prepared }: Pick<RunSnapshot, 'norms' | 'prepared'>,
  { quantity, row, kind }: { readonly quantity: NormQuantity; readonly row: number; readonly kind: DepthKind },
  palette: Palette,
): DepthCurves {
  const parameters = prepared?.parameters ?? [];
  const lines = kind.parameters.map((index) => ({
    ...parameters[index]!,
    ...{ tensor: parameters[index]!.name, members: [index] },
  }));
  const y = lines.map((line) => normAt(norms, quantity, line, row));
  const x = y.map((_, index) => index);
  const { first, gain, nZero, nNonFinite } = depthGain(y);
  const zeros = lines.filter((_, index) => y[index] === 0).map(({ layer }) => layer);
  const curves: Curve[] = [{ name: 'norm', x, y, color: palette.clean, hasDots: true }];
  if (Number.isFinite(gain)) {
    const fit = x.map((index) => first / gain ** index);
    curves.push({ name: 'fit', x, y: fit, color: palette.dim, isDashed: true, width: 1, hasNoMarks: true });
  }
  const growth = Number.isFinite(gain)
    ? quantity === 'weights'
      ? [`×${(1 / gain).toFixed(2)} a layer`]
      : [`×${gain.toFixed(2)} a layer, backwards`]
    : [];
  const marks = [
    nZero > 0 ? `${formatCount(nZero)} ${nZero === 1 ? 'is' : 'are'} 0: ${namesText(zeros)}` : '',
    nNonFinite > 0 ? `${formatCount(nNonFinite)} not finite` : '',
  ];
  const said = [...growth, ...marks].filter((text) => text !== '').join(' · ');
  return { curves, ticks: x, names: lines.map(({ layer }) => layer), said };
}

/** The first few by name. */
function namesText(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${formatCount(names.length - 3)} more` : shown;
}

/** Among the weights and gradients of a line at a row of the log. */
export function countNonFinite(norms: NormColumns, line: NormLine, row: number): number {
  return line.members.reduce(
    (sum, member) =>
      sum + (norms.nonFiniteWeights[row]?.[member] ?? 0) + (norms.nonFiniteGradients[row]?.[member] ?? 0),
    0,
  );
}

function wholeCurve(norms: NormColumns, table: NormTable, line: NormLine): { x: number[]; y: number[] } {
  return {
    x: table.kept.map((row) => norms.step[row] ?? 0),
    y: table.kept.map((row) => normAt(norms, table.quantity, line, row)),
  };
}
