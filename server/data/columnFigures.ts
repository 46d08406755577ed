// Mean and standard deviation of a table's columns, for the layer that standardises them.
import { consecutive } from './batches.ts';
import { RowReader, type Rows } from './rows.ts';
import type { ColumnFigures } from './split.ts';

const blockRows = 4096;

/** Over all rows, block by block: never all of them in memory. In float64, by the update of Chan, Golub & LeVeque (1979). */
export function columnFigures(of: Rows): ColumnFigures {
  // In the order of the file, whatever order they are drawn in: neighbours are read at once.
  const rows = of.order === null ? of : { ...of, order: Uint32Array.from(of.order).sort() };
  const { nSamples, sampleSize } = rows;
  const reader = new RowReader();
  const mean = new Float64Array(sampleSize);
  const squares = new Float64Array(sampleSize);
  const least = new Float32Array(sampleSize).fill(Infinity);
  const most = new Float32Array(sampleSize).fill(-Infinity);
  let count = 0;
  try {
    for (let first = 0; first < nSamples; first += blockRows) {
      const nRows = Math.min(blockRows, nSamples - first);
      const { values } = reader.read(rows, consecutive(first, nRows));
      const blockMean = new Float64Array(sampleSize);
      const blockSquares = new Float64Array(sampleSize);
      for (let row = 0, at = 0; row < nRows; row++) {
        for (let column = 0; column < sampleSize; column++) blockMean[column]! += values[at++]!;
      }
      for (let column = 0; column < sampleSize; column++) blockMean[column]! /= nRows;
      for (let row = 0, at = 0; row < nRows; row++) {
        for (let column = 0; column < sampleSize; column++) {
          const value = values[at]!;
          if (value < least[column]!) least[column] = value;
          if (value > most[column]!) most[column] = value;
          blockSquares[column]! += (values[at++]! - blockMean[column]!) ** 2;
        }
      }
      for (let column = 0; column < sampleSize; column++) {
        const shift = blockMean[column]! - mean[column]!;
        mean[column]! += (shift * nRows) / (count + nRows);
        squares[column]! += blockSquares[column]! + (shift * shift * count * nRows) / (count + nRows);
      }
      count += nRows;
    }
  } finally {
    reader.close();
  }
  // What never changes is told by its ends: rounding leaves it a deviation of next to nothing, by which nothing can be divided.
  const std = squares.map((square, column) => (least[column] === most[column] ? 1 : Math.sqrt(square / count)));
  return { mean: [...mean], std: [...std] };
}
