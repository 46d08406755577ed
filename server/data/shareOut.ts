// Which samples train and which test, where a data set's owner says no more than how many.
import { permutation } from '../tensor/ops/random.ts';
import type { DatasetPlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import { someRows, type Rows } from './rows.ts';

type Sizes = Pick<DatasetPlan, 'trainSamples' | 'testSamples'>;

/** A stream of random numbers of its own. */
const shareStream = 0x64617461;

/** All rows of a set in an order drawn by the seed, so that the first or the last of them are of every class. */
export function shuffled(rows: Rows, seed: number): Rows {
  const drawn = permutation(rows.nSamples, { seed, stream: shareStream, counter: 0 });
  const order = new Uint32Array(new SharedArrayBuffer(4 * drawn.length));
  order.set(drawn);
  return { ...rows, order, first: 0 };
}

/** A share of all is drawn to test on, at least one sample; the others train. */
export function shareOut(
  all: Rows,
  { testShare, seed, ...sizes }: Sizes & { readonly testShare: number; readonly seed: number },
): { readonly train: Rows; readonly test: Rows } {
  const nTest = Math.max(1, Math.round(testShare * all.nSamples));
  if (nTest >= all.nSamples) {
    throw new DataError(
      `There are ${all.nSamples} samples, of which dataset.testShare takes ${nTest} to test on: none is left to train on. Lower it, or bring more samples.`,
    );
  }
  const drawn = shuffled(all, seed);
  return takeFirst(someRows(drawn, nTest, all.nSamples - nTest), someRows(drawn, 0, nTest), sizes);
}

/** As many as the plan asks for. @throws DataError where there are fewer */
export function takeFirst(
  train: Rows,
  test: Rows,
  { trainSamples, testSamples }: Sizes,
): { readonly train: Rows; readonly test: Rows } {
  return { train: first(train, trainSamples, 'trainSamples'), test: first(test, testSamples, 'testSamples') };
}

function first(rows: Rows, asked: number | null, option: string): Rows {
  if (asked === null) return rows;
  if (asked <= rows.nSamples) return someRows(rows, 0, asked);
  throw new DataError(
    `There are ${rows.nSamples} samples for ${option}, but ${asked} are asked for. Lower dataset.${option}.`,
  );
}
