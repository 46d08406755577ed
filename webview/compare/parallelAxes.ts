// Parallel coordinates: rows as lines over axes of settings and figures. Where each value stands; nothing is drawn here.
import { linearTicks } from '../curves/ticks.ts';
import { formatTick } from '../text/numbers.ts';
import { cellText, cellValue, type CompareColumn, type CompareRow } from './compareTable.ts';

export interface ParallelAxis {
  readonly key: string;
  readonly title: string;
  readonly ticks: readonly { readonly text: string; readonly place: number }[];
  /** Of each row, from 0 at the foot to 1 at the head; NaN where it has no value. */
  readonly places: readonly number[];
  /** Of each row as it is written; empty, or NaN, where it has none. */
  readonly values: readonly (string | number)[];
}

/** Settings first, seeds left out, then the figures that some row has; an axis on which all are the same says nothing. */
export function parallelAxes(rows: readonly CompareRow[], columns: readonly CompareColumn[]): ParallelAxis[] {
  const settings = columns.filter(({ kind, key }) => kind === 'setting' && key !== 'seed');
  const figures = columns.filter(({ kind, key }) => kind === 'figure' && key !== 'step');
  return [
    ...settings.map((column) => settingAxis(rows, column)),
    ...figures.map((column) => figureAxis(rows, column)),
  ].filter(({ places }) => new Set(places.filter((place) => !Number.isNaN(place))).size > 1);
}

function figureAxis(rows: readonly CompareRow[], column: CompareColumn): ParallelAxis {
  const scale = column.isProportion ? 100 : 1;
  const values = rows.map((row) => scale * Number(cellValue(row, column)));
  return numberAxis(column, values);
}

/** By size where all are numbers, else in the order in which they come, one a step. */
function settingAxis(rows: readonly CompareRow[], column: CompareColumn): ParallelAxis {
  const values = rows.map((row) => cellValue(row, column));
  const known = values.filter((value) => value !== '');
  if (known.every((value) => typeof value === 'number'))
    return numberAxis(
      column,
      values.map((value) => (value === '' ? Number.NaN : Number(value))),
    );
  const texts = rows.map((row) => cellText(row, column));
  const words = [...new Set(texts.filter((text) => text !== ''))];
  const placeOf = (text: string) => (words.length > 1 ? 1 - words.indexOf(text) / (words.length - 1) : 0.5);
  return {
    ...{ key: column.key, title: titleOf(column) },
    ticks: words.map((text) => ({ text, place: placeOf(text) })),
    places: texts.map((text) => (text === '' ? Number.NaN : placeOf(text))),
    values: texts,
  };
}

function numberAxis(column: CompareColumn, values: readonly number[]): ParallelAxis {
  const finite = values.filter((value) => Number.isFinite(value));
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const placeOf = (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  return {
    ...{ key: column.key, title: titleOf(column) },
    ticks: (finite.length === 0 ? [] : linearTicks(low, high, 4))
      .map((value) => ({ text: formatTick(value), place: placeOf(value) }))
      .filter(({ place }) => place >= 0 && place <= 1),
    places: values.map((value) => (Number.isFinite(value) ? placeOf(value) : Number.NaN)),
    values,
  };
}

function titleOf({ kind, title, isProportion }: CompareColumn): string {
  if (kind === 'setting') return title.split('.').at(-1)!;
  return isProportion ? `${title}, %` : title;
}
