// `kafscope inspect`: what a checkpoint holds, as a table.
import { inspectCheckpoint } from '../run/checkpointContents.ts';
import type {
  FormulaContents,
  KafContents,
  ShapeContents,
  SplineContents,
  SurfaceContents,
  TensorContents,
} from '../protocol/checkpoint.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @throws BadCheckpointError @returns the exit code */
export async function inspectCommand(file: string, terminal: Terminal): Promise<number> {
  const contents = await inspectCheckpoint(file);
  terminal.event({ type: 'checkpoint', ...contents });
  const { origin, tensors, activations, sizeBytes } = contents;
  const { omittedTensors = 0, omittedActivations = 0 } = contents;
  const nTensors = tensors.length + omittedTensors;
  terminal.line(`${file} · ${(sizeBytes / 2 ** 20).toFixed(2)} MiB · ${String(nTensors)} tensors`);
  if (origin) {
    terminal.line(
      `run ${origin.runId} · step ${String(origin.step)} · epoch ${String(origin.epoch)} · plan ${origin.plan.name}`,
    );
  }
  const header = ['tensor', 'dtype', 'shape', 'l2', 'mean', 'std', 'min', 'max', 'non-finite'];
  for (const line of table([header, ...tensors.map(cells)])) terminal.line(line);
  for (const shapes of activations) terminal.line(`${shapes.weights ? 'averaged ' : ''}${curvesLine(shapes)}`);
  if (omittedTensors > 0) terminal.line(`… and ${String(omittedTensors)} more tensors, which were not read`);
  if (omittedActivations > 0) {
    terminal.line(`… and curves of ${String(omittedActivations)} tensors, which are too many to read`);
  }
  const unread = new Set(tensors.filter(({ isUnread }) => isUnread).map(({ dtype }) => dtype));
  if (unread.size > 0) terminal.line(`no figures of ${[...unread].join(', ')}, whose values are not read`);
  const damaged = tensors.filter(({ isDamaged }) => isDamaged);
  for (const { name } of damaged) {
    terminal.line(
      `tensor "${name}" is damaged: its bytes do not match the digest written with it. Take an earlier checkpoint.`,
    );
  }
  return damaged.length > 0 ? exitCodes.failed : exitCodes.done;
}

function curvesLine(shapes: ShapeContents): string {
  if ('formula' in shapes) return formulaLine(shapes);
  if ('axis' in shapes) return surfaceLine(shapes);
  return 'spline' in shapes ? splineLine(shapes) : kafLine(shapes);
}

function formulaLine({ layer, channels, formula, alpha }: FormulaContents): string {
  const count = formula.parameters.length;
  const ranges = formula.parameters.map((name, p) => `${name} in ${interval(alpha.filter((_, i) => i % count === p))}`);
  return `formula ${layer}: ${String(channels)} channels, ${formula.formula}, ${ranges.join(', ')}`;
}

function kafLine({ layer, channels, dictionary, gamma, base, kernels, kernelNames }: KafContents): string {
  const gammas = kernels?.gammas ?? [gamma];
  const whose = kernels ? ' of each channel’s own' : '';
  const range = `${String(dictionary.length)} elements${whose} in ${interval(kernels?.dictionaries ?? dictionary)}`;
  const [least, most] = extremes(gammas).map(short) as [string, string];
  const width = least === most ? least : `${least} … ${most}`;
  const names = kernelNames ? `, ${kernelNames.join(' + ')} kernels` : '';
  return `KAF ${layer}: ${String(channels)} channels, ${range}${names}, γ ${width}, base ${base}`;
}

function splineLine({ layer, channels, dictionary, spline }: SplineContents): string {
  const range = `${String(dictionary.length)} points on ${interval(dictionary)}`;
  return `spline ${layer}: ${String(channels)} channels, ${range}, ${spline}`;
}

function surfaceLine({ layer, channels, axis, gamma }: SurfaceContents): string {
  const range = `${String(axis.length)}² elements in ${interval(axis)}²`;
  return `2D-KAF ${layer}: ${String(channels)} pairs, ${range}, γ ${short(gamma)}`;
}

function interval(values: Iterable<number>): string {
  return `[${extremes(values).map(short).join(', ')}]`;
}

/** The least and the largest, of any number of values. */
function extremes(values: Iterable<number>): [number, number] {
  let [least, largest] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    largest = Math.max(largest, value);
  }
  return [least, largest];
}

function cells({ name, dtype, shape, l2, mean, std, min, max, nonFinite, isUnread }: TensorContents): string[] {
  const figures = [...[l2, mean, std, min, max].map(short), String(nonFinite)];
  return [name, dtype, `[${shape.join(', ')}]`, ...(isUnread ? figures.map(() => '–') : figures)];
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The first three columns to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => extremes(rows.map((row) => row[column]!.length))[1]);
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
