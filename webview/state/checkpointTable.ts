// The rows of the checkpoint inspector: which tensors, in what order.
import type {
  CheckpointContents,
  CheckpointDifference,
  ShapeContents,
  TensorContents,
  TensorDifference,
} from '../../server/protocol/checkpoint.ts';
import { coefficientsOf } from '../../server/protocol/records.ts';

export type TensorGroup = TensorContents['group'];

/** A part of the file; `plan`: what it says of itself. */
export type TensorSection = TensorGroup | 'plan';

/** `file`: the file's own order; `relative` and `largest` of the difference from another. */
export type TensorOrder =
  'file' | 'name' | 'values' | 'l2' | 'min' | 'max' | 'mean' | 'std' | 'nonFinite' | 'relative' | 'largest';

/** A tensor, and what has become of it since another file where there is one that has it. */
export interface TensorRow extends TensorContents {
  readonly difference?: TensorDifference;
}

export function tensorRows(
  contents: CheckpointContents,
  options: { group: TensorGroup; filter: string; order: TensorOrder; isDescending: boolean },
  difference: CheckpointDifference | null = null,
): TensorRow[] {
  const filter = options.filter.trim().toLowerCase();
  const differences = new Map(difference?.tensors.map((one) => [one.name, one]));
  const rows = contents.tensors
    .filter(({ group, name }) => group === options.group && name.toLowerCase().includes(filter))
    .map((tensor): TensorRow => {
      const found = differences.get(tensor.name);
      return found ? { ...tensor, difference: found } : tensor;
    });
  const { order } = options;
  if (order === 'file') return rows;
  const sign = options.isDescending ? -1 : 1;
  return rows.sort((a, b) =>
    order === 'name' ? sign * a.name.localeCompare(b.name) : compare(figureOf(a, order), figureOf(b, order), sign),
  );
}

export function summarize(contents: CheckpointContents): {
  parameters: number;
  values: number;
  nonFinite: number;
  dtypes: readonly string[];
} {
  const model = contents.tensors.filter(({ group }) => group === 'model');
  return {
    parameters: model.reduce((sum, { values }) => sum + values, 0),
    values: contents.tensors.reduce((sum, { values }) => sum + values, 0),
    nonFinite: contents.tensors.reduce((sum, { nonFinite }) => sum + nonFinite, 0),
    dtypes: [...new Set(contents.tensors.map(({ dtype }) => dtype))],
  };
}

/** Groups that the file has, in the order shown. */
export function groupsOf(contents: CheckpointContents): TensorGroup[] {
  return (['model', 'average', 'optimizer', 'other'] as const).filter((group) =>
    contents.tensors.some((tensor) => tensor.group === group),
  );
}

/** What was asked for where the file has it, else its first group: a file not written by Kafscope has no `model`. */
export function shownSection(contents: CheckpointContents, asked: TensorSection): TensorSection {
  const groups = groupsOf(contents);
  return asked === 'plan' || groups.includes(asked) ? asked : (groups[0] ?? 'plan');
}

/** The curves that the tensor's values are; null for any other. Of another program's file they may be outside of `model/`. */
export function shapesOf(
  { tensors, activations }: Pick<CheckpointContents, 'tensors' | 'activations'>,
  { name }: Pick<TensorContents, 'name'>,
): ShapeContents | null {
  const curves = activations.find(
    (each) => name.replace(/^model\//, '') === `${each.weights ? 'average/' : ''}${tensorOf(each)}`,
  );
  if (!curves) return null;
  // Where there are both, they are of the one that is `model/`'s.
  const isOther = name === tensorOf(curves) && tensors.some((tensor) => tensor.name === `model/${name}`);
  return isOther ? null : curves;
}

function tensorOf(curves: ShapeContents): string {
  return `${curves.layer}.${coefficientsOf(curves)}`;
}

function figureOf(row: TensorRow, order: Exclude<TensorOrder, 'file' | 'name'>): number {
  if (order === 'relative' || order === 'largest') return row.difference?.[order] ?? Number.NaN;
  return row[order];
}

/** NaN last, whichever the direction of the rest. */
function compare(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return sign * (a - b);
}
