// All figures of a data set that are shown, as rows: of pictures one a class, of a table one a column and class with its histogram.
import type { DatasetLook } from '../../server/protocol/datasetLook.ts';
import type { PictureTable } from '../charts/pictureTable.ts';

export function lookTable({ splits, classes, pictures, table }: DatasetLook): PictureTable {
  if (!table) {
    return {
      columns: ['class', ...splits.map(({ name }) => name), 'mean', 'deviation'],
      rows: classes.map(({ name, counts }, index) => {
        const figures = pictures?.classes[index]?.figures;
        return [name, ...counts, figures?.mean ?? NaN, figures?.std ?? NaN];
      }),
    };
  }
  const nBins = table.columns[0]?.all.bins.length ?? 0;
  const edge = (least: number, most: number, bin: number) => least + ((most - least) * bin) / nBins;
  return {
    columns: ['column', 'class', 'mean', 'deviation', 'from', 'to', 'count'],
    rows: table.columns.flatMap(({ name, least, most, all, classes: parts }) =>
      [all, ...parts].flatMap(({ mean, std, bins }, part) =>
        bins.map((count, bin) => [
          ...[name, part === 0 ? 'all' : classes[part - 1]!.name, mean, std],
          ...[edge(least, most, bin), edge(least, most, bin + 1), count],
        ]),
      ),
    ),
  };
}
