// The tables that others have published, whose form is known: streamed once into rows of float32 in the cache.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { datasetDeclaration } from '../protocol/datasets.ts';
import type { PublishedTablePlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import { readRows } from './delimitedText.ts';
import type { OpenedData, ReaderSurroundings } from './opened.ts';
import { cachedRows } from './rowCache.ts';
import { someRows } from './rows.ts';
import { shareOut, takeFirst } from './shareOut.ts';
import { count, readNumbers, textFile } from './tableRow.ts';

/** How a published table lies on the disk, without a header. */
interface PublishedForm {
  /** In a folder, the first that is there. */
  readonly files: readonly string[];
  readonly separator: string;
  readonly isLabelFirst: boolean;
  /** The label's number of the first class. */
  readonly firstLabel: number;
}

const publishedForms: Readonly<Record<PublishedTablePlan['name'], PublishedForm>> = {
  sensorless: {
    files: ['Sensorless_drive_diagnosis.txt'],
    ...{ separator: ' ', isLabelFirst: false, firstLabel: 1 },
  },
  susy: { files: ['SUSY.csv.gz', 'SUSY.csv'], ...{ separator: ',', isLabelFirst: true, firstLabel: 0 } },
};

/** Of Sensorless, whose author names no test rows: as those of a user's own table. */
const drawn = { testShare: 0.2, seed: 0 };
/** Of SUSY, by its authors: the last rows. */
const susyTestRows = 500_000;

/** @throws DataError with the file, the line and the column of what is wrong */
export async function openPublishedTable(plan: PublishedTablePlan, around: ReaderSurroundings): Promise<OpenedData> {
  const { title, ends } = datasetDeclaration(plan.name);
  const form = publishedForms[plan.name];
  const { sampleShape, classes } = ends!;
  const nColumns = sampleShape[0]!;
  const file = await findFile(plan, form);
  const { size, mtimeMs } = await stat(file);
  const key = [plan.name, file, size, mtimeMs];
  const { rows } = await cachedRows({ cacheFolder: around.cacheFolder, key, type: 'float32' }, async (writer) => {
    const values = new Float32Array(nColumns);
    const labelAt = form.isLabelFirst ? 0 : nColumns;
    await readRows(textFile(file, form.separator, around), (fields, line) => {
      // A separator at the end of the line.
      if (fields.length === nColumns + 2 && fields.at(-1) === '') fields.pop();
      if (fields.length !== nColumns + 1) {
        throw new DataError(
          `${file}, line ${line}: ${count(fields.length, 'value')}, but ${title} has ${nColumns} features and a label. It is another file, or cut off: get it again.`,
        );
      }
      readNumbers(fields, labelAt, values, (at) => `${file}, line ${line}, column ${at + 1}`);
      const label = Number(fields[labelAt]) - form.firstLabel;
      if (!(Number.isInteger(label) && label >= 0 && label < classes.length)) {
        throw new DataError(
          `${file}, line ${line}, column ${labelAt + 1}: the label is ${JSON.stringify(fields[labelAt])}, but ${title}'s go from ${form.firstLabel} to ${form.firstLabel + classes.length - 1}.`,
        );
      }
      writer.append(values, label);
    });
    if (writer.nSamples === 0) throw new DataError(`${file} has no rows. Get it again.`);
    return { classes };
  });
  const columnNames = Array.from({ length: nColumns }, (_, index) => `${index + 1}`);
  const about = { classes, sampleShape, isTable: true, columnNames };
  if (plan.name === 'sensorless') return { ...about, ...shareOut(rows, { ...plan, ...drawn }) };
  const nTest = Math.min(susyTestRows, Math.floor(rows.nSamples / 10));
  if (nTest === 0) throw new DataError(`${file} has only ${rows.nSamples} rows: a tenth of them is to test on.`);
  const nTrain = rows.nSamples - nTest;
  return { ...about, ...takeFirst(someRows(rows, 0, nTrain), someRows(rows, nTrain, nTest), plan) };
}

async function findFile({ name, path: given }: PublishedTablePlan, { files }: PublishedForm): Promise<string> {
  const found = await stat(given).catch(() => null);
  if (found?.isFile()) return given;
  for (const file of found?.isDirectory() ? files : []) {
    const at = path.join(given, file);
    if (await stat(at).catch(() => null)) return at;
  }
  const { title } = datasetDeclaration(name);
  throw new DataError(
    `There is no ${title} at ${given}. Set dataset.path to ${files.join(' or ')}, or to its folder, or fetch it (in VS Code: “Kafscope: Download Data Set…”; else: kafscope download ${name} FOLDER).`,
    { kind: 'missing' },
  );
}
