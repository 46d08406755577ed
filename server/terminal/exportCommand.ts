// `kafscope export`: every recorded value of runs by step, a line each, as CSV or JSON. What training went back over is left out, as charts do.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Pyramid } from '../run/series/pyramid.ts';
import { allTables, RunSeries } from '../run/series/runSeries.ts';
import { exitCodes, UsageError, type Terminal } from './terminal.ts';

export type ExportForm = 'csv' | 'json';

export interface ExportCommand {
  readonly folders: readonly string[];
  readonly form: ExportForm;
  /** Of names of values, like `loss`, `test/accuracy` or `gradients/conv1.kernel`. */
  readonly tags: RegExp;
}

const rowsAtOnce = 4096;

/** @throws UsageError where the text is no regular expression */
export function tagPattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--tags ${text} is no regular expression: ${(error as Error).message}.`);
  }
}

/** @throws StorageError @returns the exit code */
export function exportCommand({ folders, form, tags }: ExportCommand, terminal: Terminal): number {
  if (form === 'csv') terminal.line('run,tag,step,timeMs,value');
  // Beside nobody's: it is gone when all is written.
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-export-'));
  try {
    folders.forEach((folder, index) => {
      const id = path.basename(folder);
      const series = new RunSeries({ id, folder }, path.join(cache, String(index)));
      try {
        for (const { doneBytes, totalBytes } of series.catchUp())
          terminal.progress(`reading ${id}: ${String(Math.floor((100 * doneBytes) / Math.max(1, totalBytes)))} %`);
        for (const table of allTables(series.tables)) writeTable(id, table, { form, tags }, terminal);
      } finally {
        series.close();
      }
    });
  } finally {
    fs.rmSync(cache, { recursive: true, force: true });
  }
  return exitCodes.done;
}

function writeTable(
  run: string,
  table: Pyramid,
  { form, tags }: Pick<ExportCommand, 'form' | 'tags'>,
  terminal: Terminal,
): void {
  const chosen = table.tags.names.flatMap((name, index) => (tags.test(name) ? [index] : []));
  if (chosen.length === 0) return;
  for (let first = 0; first < table.rows; first += rowsAtOnce) {
    const end = Math.min(table.rows, first + rowsAtOnce);
    for (const bucket of table.read(chosen, { first, end, rowsPerBucket: 1 }).buckets) {
      chosen.forEach((series, place) => {
        const tag = table.tags.names[series]!;
        const value = bucket.first[place]!;
        // A test without such a figure has none; a loss that is no number has been measured.
        if (Number.isNaN(value) && tag.startsWith('test/')) return;
        terminal.line(line({ run, tag, step: bucket.firstStep, timeMs: bucket.firstMs, value }, form));
      });
    }
  }
}

interface Value {
  readonly run: string;
  readonly tag: string;
  readonly step: number;
  readonly timeMs: number;
  readonly value: number;
}

/** JSON has no NaN and no infinity: they are texts. */
function line(value: Value, form: ExportForm): string {
  switch (form) {
    case 'csv':
      return [quoted(value.run), quoted(value.tag), value.step, value.timeMs, value.value].join(',');
    case 'json':
      return JSON.stringify({ ...value, value: Number.isFinite(value.value) ? value.value : String(value.value) });
    default:
      return form satisfies never;
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
