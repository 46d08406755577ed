// `kafscope report SWEEP`: the results of a sweep as a table by axis.
import { sweepResults } from '../sweep/sweepResults.ts';
import { tableOf } from '../sweep/sweepTable.ts';
import { formatTable, type TableFormat } from '../sweep/tableFormats.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** @returns the exit code: 1 where no cell has finished, or none was attacked and that is to be drawn @throws StorageError */
export function reportSweep(folder: string, format: TableFormat, terminal: Terminal): number {
  const about = sweepResults(folder);
  const { name, results, nCells } = about;
  if (results.length === 0) {
    terminal.error(`No cell of ${name} has finished yet, so there is nothing to report.`);
    return exitCodes.failed;
  }
  const table = tableOf(results);
  const text = formatTable(format, table, about).trimEnd();
  if (text === '') {
    terminal.error(`No cell of ${name} was attacked, so there is nothing to draw.`);
    return exitCodes.failed;
  }
  for (const row of table.rows) terminal.event({ type: 'row', axes: table.axes, columns: table.columns, ...row });
  terminal.event({ type: 'done', cells: nCells, finished: results.length });
  terminal.line(text);
  return exitCodes.done;
}
