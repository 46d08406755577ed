// Where a sweep's files lie, and its cells as they were when it was last started. A sweep is its folder in `sweeps`, beside the runs
// that it makes; nothing in it is ever rewritten.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { planSchema } from '../experiment/planSchema.ts';
import { atOnce, type Turns } from '../experiment/turns.ts';
import type { Plan } from '../protocol/plan.ts';
import { sweepAsks, type SweepAsk } from '../protocol/sweep.ts';
import { readBytes, syncFolder } from '../run/logFile.ts';
import { StorageError, storageError } from '../run/storageError.ts';

export interface SweepOrigin {
  readonly name: string;
  readonly experimentFile: string | null;
  readonly createdMs: number;
}

/** A cell as the queue works on it. */
export interface StoredCell {
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
  readonly identity: string;
  /** One line for lists. */
  readonly description: string;
  readonly plan: Plan;
  /** Of a part of an evaluation: the identity of the cell that is not cut. */
  readonly whole?: string;
}

/** All that an experiment's text made when the sweep was started with it. */
export interface CellSet {
  readonly experimentText: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly cells: readonly StoredCell[];
}

const originFormat = 'kafscope sweep';
const cellsFormat = 'kafscope cells';
const version = 1;
/** Twice what the plans of an experiment may have (`readCells.ts` of experiments). */
const maxCellsBytes = 16 * 1024 * 1024;
/** Of any other file: a name, a path, the names of a thousand cells. */
const maxBytes = 512 * 1024;
/** Values and openings in a JSON: those of the longest plans are fewer, and so many are parsed in a tenth of a second. */
const maxValues = 1_000_000;
const maxDepth = 200;

const originSchema = z.object({
  ...{ format: z.literal(originFormat), version: z.int().min(1).max(version), name: z.string().max(255) },
  ...{ experimentFile: z.string().max(4096).nullable(), createdMs: z.number() },
});

const identity = z.string().regex(/^[0-9a-f]{32}$/);

const cellSchema = z.object({
  ...{ name: z.string().max(1000), values: z.record(z.string(), z.string()) },
  ...{ identity, description: z.string().max(10_000), plan: planSchema, whole: identity.exactOptional() },
});

/** Its cells are looked at one at a time. */
const cellsSchema = z.object({
  ...{ format: z.literal(cellsFormat), version: z.int().min(1).max(version), experimentText: z.string() },
  ...{ versions: z.record(z.string(), z.string()), cells: z.array(z.unknown()).min(1).max(1000) },
});

export function sweepsFolder(runsFolder: string): string {
  return path.join(runsFolder, 'sweeps');
}

/** The folder that the runs of a sweep lie in. */
export function runsFolderOf(sweepFolder: string): string {
  return path.dirname(path.dirname(sweepFolder));
}

/** Folders of sweeps, by name. Empty where there are none. @throws StorageError */
export function listSweeps(runsFolder: string): string[] {
  const folder = sweepsFolder(runsFolder);
  let names;
  try {
    names = fs.readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw storageError(folder, error);
  }
  return names
    .map((name) => path.join(folder, name))
    .filter(isSweep)
    .sort();
}

export function isSweep(folder: string): boolean {
  return fs.existsSync(originFile(folder));
}

function originFile(folder: string): string {
  return path.join(folder, 'sweep.json');
}

/** The sweep of an experiment's file; null where it has none. A sweep that can't be read is passed over. @throws StorageError */
export function sweepOf(runsFolder: string, experimentFile: string): string | null {
  const found = listSweeps(runsFolder).find((folder) => {
    try {
      return readSweepOrigin(folder).experimentFile === experimentFile;
    } catch {
      return false;
    }
  });
  return found ?? null;
}

/** @throws StorageError where it is missing, damaged or of a newer Kafscope */
export function readSweepOrigin(folder: string): SweepOrigin {
  return readJson(originFile(folder), originSchema);
}

/** Makes the folder. @throws StorageError */
export function makeSweep(runsFolder: string, origin: SweepOrigin): string {
  const parent = sweepsFolder(runsFolder);
  try {
    fs.mkdirSync(parent, { recursive: true });
    const folder = makeFolder(parent, slug(origin.name));
    writeWhole(originFile(folder), { format: originFormat, version, ...origin });
    return folder;
  } catch (error) {
    throw storageError(parent, error, 'try again');
  }
}

function makeFolder(parent: string, name: string): string {
  for (let number = 1; ; number++) {
    const folder = path.join(parent, number === 1 ? name : `${name}-${String(number)}`);
    try {
      fs.mkdirSync(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function slug(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return plain.slice(0, 60) || 'sweep';
}

const cellsName = /^cells-(0|[1-9]\d{0,8})\.json$/;

/** The numbers of the files of a pattern, ascending: a stranger's may have any gaps. @throws StorageError */
export function numbersOf(folder: string, pattern: RegExp): number[] {
  try {
    const numbers = fs.readdirSync(folder).flatMap((name) => pattern.exec(name)?.[1] ?? []);
    return numbers.map(Number).sort((a, b) => a - b);
  } catch (error) {
    throw storageError(folder, error);
  }
}

/** The greatest number of the files of a pattern; −1 where there is none. @throws StorageError */
export function newestNumber(folder: string, pattern: RegExp): number {
  return numbersOf(folder, pattern).at(-1) ?? -1;
}

function cellsFile(folder: string, number: number): string {
  return path.join(folder, `cells-${String(number)}.json`);
}

/** Of the newest set of cells; −1 where there is none. @throws StorageError */
export function newestCells(folder: string): number {
  return newestNumber(folder, cellsName);
}

/** Writes the cells down as they are from now on. @returns their number @throws StorageError */
export function writeCells(folder: string, set: CellSet): number {
  const number = writeNumbered(folder, newestCells(folder) + 1, cellsFile, { format: cellsFormat, version, ...set });
  keep(cellsFile(folder, number), set);
  return number;
}

/** The newest set that is whole. @throws StorageError where there is none */
export function readCells(folder: string): NumberedCells {
  return atOnce(cellsOf(folder));
}

export interface NumberedCells extends CellSet {
  readonly number: number;
}

/** As `readCells`, a cell at a time. @throws StorageError */
export function* cellsOf(folder: string): Turns<NumberedCells> {
  let fault: unknown = new StorageError(`${folder} has no cells: the sweep was not begun.`);
  const newest = newestCells(folder);
  for (let number = newest; number >= Math.max(0, newest - maxCutOff); number--) {
    yield;
    try {
      return { ...(yield* cellSetOf(cellsFile(folder, number))), number };
    } catch (error) {
      // One that is being written, or whose writer was cut off: the one before still holds.
      fault = error;
    }
  }
  throw fault;
}

/** Sets that were cut off, one after another; behind more of them none is looked for. */
const maxCutOff = 10;

/** The set of cells of a number. @throws StorageError where it is missing or damaged */
export function readCellSet(folder: string, number: number): CellSet {
  return atOnce(cellSetOf(cellsFile(folder, number)));
}

/** The sets read last, for nothing that is whole is ever rewritten; the one unused for longest goes first. */
const kept = new Map<string, { readonly sign: string; readonly set: CellSet }>();
const maxKept = 8;

function signOf(file: string): string {
  const status = fs.statSync(file, { throwIfNoEntry: false, bigint: true });
  return status ? [status.dev, status.ino, status.size, status.mtimeNs].join() : 'none';
}

function keep(file: string, set: CellSet): void {
  kept.delete(file);
  kept.set(file, { sign: signOf(file), set });
  for (const oldest of kept.keys()) if (kept.size > maxKept) kept.delete(oldest);
}

/** The first cell that is wrong tells it for all. @throws StorageError */
function* cellSetOf(file: string): Turns<CellSet> {
  const known = kept.get(file);
  const set = known?.sign === signOf(file) ? known.set : yield* readCellSetIn(file);
  keep(file, set);
  return set;
}

function* readCellSetIn(file: string): Turns<CellSet> {
  const { experimentText, versions, cells } = readJson(file, cellsSchema, maxCellsBytes);
  const whole: StoredCell[] = [];
  for (const [index, cell] of cells.entries()) {
    yield;
    whole.push(parsedAs(cellSchema, cell, { file, at: ['cells', index] }));
  }
  return { experimentText, versions, cells: whole };
}

/** What someone else than its worker wants of a sweep. */
const askSchema = z.object({ ask: z.enum(sweepAsks) });
const askName = /^ask-(0|[1-9]\d{0,8})\.json$/;

function askFile(folder: string, number: number): string {
  return path.join(folder, `ask-${String(number)}.json`);
}

export function newestAsk(folder: string): number {
  return newestNumber(folder, askName);
}

/** Leaves word for whoever works on the sweep, on whatever host. @throws StorageError */
export function writeAsk(folder: string, ask: SweepAsk): number {
  return writeNumbered(folder, newestAsk(folder) + 1, askFile, { ask });
}

/** What was asked after the ask `after`, in order. One that is not whole yet is left for the next look. */
export function asksAfter(folder: string, after: number): { readonly number: number; readonly ask: SweepAsk }[] {
  const asks: { number: number; ask: SweepAsk }[] = [];
  const newest = newestAsk(folder);
  for (let number = after + 1; number <= newest; number++) {
    try {
      asks.push({ number, ask: readJson(askFile(folder, number), askSchema).ask });
    } catch {
      break;
    }
  }
  return asks;
}

/** The first number that nobody else takes. @throws StorageError */
export function writeNumbered(
  folder: string,
  first: number,
  fileOf: (folder: string, number: number) => string,
  content: object,
): number {
  for (let number = first; ; number++) {
    const file = fileOf(folder, number);
    try {
      const descriptor = fs.openSync(file, 'wx', 0o644);
      try {
        fs.writeFileSync(descriptor, `${JSON.stringify(content)}\n`);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      syncFolder(folder);
      return number;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(file, error, 'try again');
    }
  }
}

/** Appears whole: a folder without it is no sweep. */
function writeWhole(file: string, content: object): void {
  const temporary = `${file}.tmp`;
  const descriptor = fs.openSync(temporary, 'wx', 0o644);
  try {
    fs.writeFileSync(descriptor, `${JSON.stringify(content, null, 1)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(temporary, file);
  syncFolder(path.dirname(file));
}

/** @throws StorageError where it is missing, damaged or of a newer Kafscope */
export function readJson<T>(file: string, schema: z.ZodType<T>, most = maxBytes): T {
  let json: unknown;
  try {
    const bytes = readBytes(file, 0, most + 1);
    if (bytes.length > most || !isOfPlans(bytes))
      throw new StorageError(`${file} is damaged: it is longer than any that Kafscope makes.`);
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError(`${file} is damaged: it is not JSON (${(error as Error).message}).`, { cause: error });
  }
  return parsedAs(schema, json, { file, at: [] });
}

const code = {
  ...{ quote: 34, comma: 44, backslash: 92 },
  ...{ openList: 91, closeList: 93, openObject: 123, closeObject: 125 },
};

/** No more values, and no deeper, than plans have. */
function isOfPlans(bytes: Uint8Array): boolean {
  let nMarks = 0;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === code.quote) isText = !isText;
    else if (isText) at += Number(byte === code.backslash);
    else if (byte === code.comma) nMarks++;
    else if (byte === code.closeList || byte === code.closeObject) depth--;
    else if (byte === code.openList || byte === code.openObject) {
      nMarks++;
      if (++depth > maxDepth) return false;
    }
  }
  return nMarks <= maxValues;
}

function parsedAs<T>(
  schema: z.ZodType<T>,
  json: unknown,
  { file, at }: { readonly file: string; readonly at: readonly PropertyKey[] },
): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StorageError(
    `${file} is damaged, or of a newer Kafscope: ${[...at, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? ''}.`,
  );
}
