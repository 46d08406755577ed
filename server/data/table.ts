// The user's own tables: text of any length with a header, streamed once into rows of float32 in the cache. Values are kept as they are: standardising them is the network's first layer.
import { stat } from 'node:fs/promises';
import type { TablePlan } from '../protocol/plan.ts';
import { DataError } from './dataError.ts';
import { readRows } from './delimitedText.ts';
import type { OpenedData, ReaderSurroundings } from './opened.ts';
import { cachedRows, type CachedRows } from './rowCache.ts';
import { shareOut, takeFirst } from './shareOut.ts';
import { count, isMissing, missing, readNumbers, textFile } from './tableRow.ts';

/** More classes than this are a column of numbers that somebody took for the label. */
const maxClasses = 1000;

/** @throws DataError with the file, the line and the column of what is missing or no number */
export async function openTable(plan: TablePlan, around: ReaderSurroundings): Promise<OpenedData> {
  const form = { separator: plan.separator, label: plan.label };
  const all = await readTable(plan.path, { ...form, key: 'dataset.path', like: null }, around);
  const about = { classes: all.classes, sampleShape: [all.rows.sampleSize], isTable: true, columnNames: all.columns };
  if (plan.testPath === null) {
    requireClasses(all, plan);
    return { ...about, ...shareOut(all.rows, plan) };
  }
  requireClasses(all, plan);
  const test = await readTable(plan.testPath, { ...form, key: 'dataset.testPath', like: all }, around);
  return { ...about, ...takeFirst(all.rows, test.rows, plan) };
}

function requireClasses({ classes }: CachedRows, { path: file, label }: TablePlan): void {
  if (classes.length > 1) return;
  throw new DataError(`${file} has only one class: ${label} is ${JSON.stringify(classes[0])} in every row.`);
}

interface TableForm {
  readonly separator: string;
  readonly label: string;
  /** Of the experiment, that names the file. */
  readonly key: string;
  /** Columns and classes that there must be; null for those that are found. */
  readonly like: CachedRows | null;
}

async function readTable(file: string, form: TableForm, around: ReaderSurroundings): Promise<CachedRows> {
  const { size, mtimeMs } = await stat(file).catch((cause: unknown) => {
    throw new DataError(`There is no file ${file}. Set ${form.key} to a text file (CSV) with a header.`, {
      cause,
      kind: 'missing',
    });
  });
  const { separator, label, like } = form;
  const key = ['table', file, size, mtimeMs, separator, label, like && [like.columns, like.classes]];
  return cachedRows({ cacheFolder: around.cacheFolder, key, type: 'float32' }, async (writer) => {
    const found: { header: Header | null } = { header: null };
    let values = new Float32Array();
    const classes = new Classes(like?.classes ?? null);
    await readRows(textFile(file, separator, around), (fields, line) => {
      const { header } = found;
      if (!header) {
        found.header = readHeader(file, fields, label, like?.columns ?? null);
        values = new Float32Array(found.header.columns.length);
        return;
      }
      const { names, labelAt } = header;
      if (fields.length !== names.length) {
        throw new DataError(
          `${file}, line ${line}: ${count(fields.length, 'value')}, but the header names ${names.length} columns. ${line === 2 ? 'Does dataset.separator say what stands between two values? ' : ''}Complete the row, or remove it.`,
        );
      }
      readNumbers(fields, labelAt, values, (at) => `${file}, line ${line}, column ${names[at]!}`);
      const text = fields[labelAt]!.trim();
      if (isMissing(text)) throw missing(`${file}, line ${line}, column ${names[labelAt]!}`, text);
      refuseOtherEncoding(`${file}, line ${line}, column ${names[labelAt]!}`, text);
      const classIndex = classes.indexOf(text);
      if (classIndex === null) {
        const remedy = like
          ? `Rows to train on have none such: ${like.classes.slice(0, 10).join(', ')}${like.classes.length > 10 ? ', …' : ''}.`
          : `It is the ${maxClasses + 1}st class: is ${label} the column of the classes? Set dataset.label.`;
        throw new DataError(`${file}, line ${line}, column ${label}: the class is ${JSON.stringify(text)}. ${remedy}`);
      }
      writer.append(values, classIndex);
    });
    const { header } = found;
    if (!header || writer.nSamples === 0) throw new DataError(`${file} has no rows below its header.`);
    const { columns } = header;
    return { ...classes.sorted(), columns };
  });
}

const separators = [
  [';', 'semicolon'],
  ['\t', 'tab'],
  [',', 'comma'],
] as const;

/** What UTF-16 or Latin-1 become where UTF-8 is read. */
function refuseOtherEncoding(place: string, text: string): void {
  if (!/[\uFFFD\0]/.test(text)) return;
  throw new DataError(`${place}: the text is not in UTF-8 (${JSON.stringify(text.slice(0, 40))}). Save it as UTF-8.`);
}

interface Header {
  readonly names: readonly string[];
  /** Without the label. */
  readonly columns: readonly string[];
  readonly labelAt: number;
}

function readHeader(
  file: string,
  fields: readonly string[],
  label: string,
  expected: readonly string[] | null,
): Header {
  const names = fields.map((name) => name.trim());
  refuseOtherEncoding(`${file}, line 1`, names.join());
  if (names.every((name) => name !== '' && Number.isFinite(Number(name)))) {
    throw new DataError(
      `${file}, line 1: a header is needed that names the columns, but there are only numbers (${names.slice(0, 4).join(', ')}, …).`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new DataError(`${file}, line 1: two columns are called ${JSON.stringify(twice)}.`);
  const labelAt = names.indexOf(label);
  if (labelAt < 0) {
    const other = names.length > 1 ? undefined : separators.find(([character]) => names[0]!.includes(character));
    const separator = other ? `Its one column looks like several: is dataset.separator ${other[1]}? Else set` : 'Set';
    throw new DataError(
      `${file}, line 1: no column is called ${JSON.stringify(label)}. ${separator} dataset.label to one of: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`,
    );
  }
  const columns = names.filter((_, index) => index !== labelAt);
  if (columns.length === 0) throw new DataError(`${file}, line 1: there is no column besides the label.`);
  if (expected && JSON.stringify(expected) !== JSON.stringify(columns)) {
    throw new DataError(`${file}, line 1: the columns are not those of dataset.path (${expected.join(', ')}).`);
  }
  return { names, columns, labelAt };
}

/** Classes by the texts of the label, in the order of their first row; sorted in the end. */
class Classes {
  readonly #known: Map<string, number>;
  readonly #isClosed: boolean;

  constructor(known: readonly string[] | null) {
    this.#known = new Map(known?.map((name, index) => [name, index]));
    this.#isClosed = known !== null;
  }

  /** Null for one too many, or one that must not be. */
  indexOf(text: string): number | null {
    const found = this.#known.get(text);
    if (found !== undefined) return found;
    if (this.#isClosed || this.#known.size === maxClasses) return null;
    this.#known.set(text, this.#known.size);
    return this.#known.size - 1;
  }

  /** By number where all are numbers, else by text. */
  sorted(): { readonly classes: readonly string[]; readonly classOf: readonly number[] } {
    const found = [...this.#known.keys()];
    if (this.#isClosed) return { classes: found, classOf: found.map((_, index) => index) };
    const areNumbers = found.every((name) => Number.isFinite(Number(name)));
    const classes = [...found].sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
    return { classes, classOf: found.map((name) => classes.indexOf(name)) };
  }
}
