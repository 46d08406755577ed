// Mean and standard deviation of a table's columns, for the layer that standardises them.
import { consecutive } from './batches.ts';
import { RowReader, type Rows } from './rows.ts';
import type { ColumnFigures } from './split.ts';

const blockRows = 4096;

/** Over all rows, block by block: never all of them in memory. In float64, by the update of Chan, Golub & LeVeque (1979). */
export function columnFigures(rows: Rows): ColumnFigures {
  const { nSamples, sampleSize } = rows;
  const reader = new RowReader();
  const mean = new Float64Array(sampleSize);
  const squares = new Float64Array(sampleSize);
  let count = 0;
  try {
    for (let first = 0; first < nSamples; first += blockRows) {
      const nRows = Math.min(blockRows, nSamples - first);
      const { values } = reader.read(rows, consecutive(first, nRows));
      for (let column = 0; column < sampleSize; column++) {
        let sum = 0;
        for (let row = 0; row < nRows; row++) sum += values[row * sampleSize + column]!;
        const blockMean = sum / nRows;
        let blockSquares = 0;
        for (let row = 0; row < nRows; row++) blockSquares += (values[row * sampleSize + column]! - blockMean) ** 2;
        const shift = blockMean - mean[column]!;
        mean[column]! += (shift * nRows) / (count + nRows);
        squares[column]! += blockSquares + (shift * shift * count * nRows) / (count + nRows);
      }
      count += nRows;
    }
  } finally {
    reader.close();
  }
  return { mean: [...mean], std: [...squares].map((square) => Math.sqrt(square / count) || 1) };
}
