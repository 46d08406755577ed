// What charts ask of one run: its tables by step and its snapshot, made of its log once and kept in a folder of the server's own cache, from
// where they go on with what the log has since. The folder may be deleted at any time; what does not fit the run is made again.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { decode, encode } from '../../protocol/codec.ts';
import type { ParameterInfo, Row, StepRecord, TestRecord } from '../../protocol/records.ts';
import { applyRow, emptySnapshot, type RunSnapshot } from '../../protocol/snapshot.ts';
import type { RunSummary } from '../../protocol/run.ts';
import { RunHistory, type LogMark } from '../runHistory.ts';
import { Pyramid } from './pyramid.ts';
import { normTags, stepTags, testRowTags, updateTags } from './seriesTags.ts';

/** A run as the cache knows it. */
export interface RunPlace {
  readonly id: string;
  readonly folder: string;
}

export interface Tables {
  readonly steps: Pyramid;
  readonly tests: Pyramid;
  /** Null before the first norms. */
  norms: Pyramid | null;
  updates: Pyramid | null;
}

export function allTables({ steps, tests, norms, updates }: Tables): readonly Pyramid[] {
  return [steps, tests, norms, updates].filter((table) => table !== null);
}

/** What is kept beside the tables' files; written whole, last. */
interface Kept {
  readonly version: number;
  readonly logs: readonly string[];
  readonly mark: LogMark | null;
  readonly rows: Readonly<Record<keyof Tables, number>>;
  readonly parameters: readonly ParameterInfo[] | null;
  readonly snapshot: RunSnapshot;
}

/** Of the kept form: another one is made again. */
const version = 3;
const keptFile = 'kept';
/** A stranger's log may say anything; of more tensors no norms are offered. */
const maxTensors = 10_000;
/** What of a log came since is kept again after so much. */
const keepEveryBytes = 32 * 1024 * 1024;

export class RunSeries {
  readonly runId: string;
  readonly #history: RunHistory;
  readonly #folder: string;
  #tables: Tables;
  #parameters: readonly ParameterInfo[] | null = null;
  #snapshot: RunSnapshot;
  /** Weights, gradients and the norm of all gradients, of the row that is being appended. */
  #normRow = new Float64Array();
  /** Norms before an update and of it. */
  #updateRow = new Float64Array();
  #keptBytes = 0;
  #isKept = false;

  /** @param folder its own, which nobody else uses @throws StorageError where the run can't be read */
  constructor(run: RunPlace, folder: string) {
    this.runId = run.id;
    this.#history = new RunHistory(run.folder);
    this.#folder = folder;
    try {
      const restored = this.#restore();
      this.#tables = restored.tables;
      this.#snapshot = restored.snapshot;
    } catch {
      // Never kept, cut off while it was, of another run or of another Kafscope: made again.
      this.#tables = this.#begin();
      this.#snapshot = this.#emptySnapshot();
    }
  }

  get tables(): Tables {
    return this.#tables;
  }

  /** Its `run` says nothing. */
  get snapshot(): RunSnapshot {
    return this.#snapshot;
  }

  get mark(): LogMark | null {
    return this.#history.lastMark;
  }

  get logs(): readonly string[] {
    return this.#history.identities;
  }

  /** Reads what is new in the log, about a megabyte between two yields, each of which says how far it is. @throws StorageError */
  *catchUp(): Generator<{ doneBytes: number; totalBytes: number }, void> {
    if (this.#history.refresh()) this.#startAnew();
    const totalBytes = this.#history.sizeBytes;
    for (const page of this.#history.pages(this.#snapshot.cursor)) {
      for (const { row } of page) this.#take(row);
      const doneBytes = this.#history.doneBytes;
      if (doneBytes - this.#keptBytes >= keepEveryBytes) this.keep();
      yield { doneBytes, totalBytes };
    }
    if (!this.#isKept) this.keep();
  }

  /** On the disk as it is now, from where another server goes on. */
  keep(): void {
    const { steps, tests, norms, updates } = this.#tables;
    const kept: Kept = {
      version,
      logs: this.#history.identities,
      mark: this.#history.lastMark,
      rows: { steps: steps.rows, tests: tests.rows, norms: norms?.rows ?? 0, updates: updates?.rows ?? 0 },
      parameters: this.#parameters,
      snapshot: this.#snapshot,
    };
    for (const table of allTables(this.#tables)) table.flush();
    const file = path.join(this.#folder, keptFile);
    fs.writeFileSync(`${file}.new`, encode(kept));
    fs.renameSync(`${file}.new`, file);
    this.#keptBytes = this.#history.doneBytes;
    this.#isKept = true;
  }

  close(): void {
    this.#history.close();
    for (const table of allTables(this.#tables)) table.close();
  }

  #take(row: Row): void {
    const { record, timeMs } = row;
    applyRow(this.#snapshot, row);
    switch (record.type) {
      case 'prepared':
        this.#prepare(record.parameters.slice(0, maxTensors));
        return;
      case 'step':
        this.#append(this.#tables.steps, record.step, timeMs, stepRow(record));
        return;
      case 'test':
        this.#append(this.#tables.tests, record.step, timeMs, testRow(record));
        return;
      case 'norms': {
        const { norms } = this.#tables;
        if (!norms) return;
        const values = this.#normRow;
        const nTensors = (values.length - 1) / 2;
        setHalves(values, nTensors, [record.weights, record.gradients]);
        let sum = 0;
        const { gradients } = record;
        for (let index = 0; index < gradients.length; index++) sum += gradients[index]! ** 2;
        values[2 * nTensors] = Math.sqrt(sum);
        this.#append(norms, record.step, timeMs, values);
        return;
      }
      case 'updates': {
        const { updates } = this.#tables;
        if (!updates) return;
        setHalves(this.#updateRow, this.#updateRow.length / 2, [record.before, record.updates]);
        this.#append(updates, record.step, timeMs, this.#updateRow);
        return;
      }
      default:
      // Others are in the snapshot.
    }
  }

  #append(table: Pyramid, step: number, timeMs: number, values: ArrayLike<number>): void {
    if (step <= table.lastStep) this.#unkeep();
    table.append(step, timeMs, values);
  }

  /** Other tensors than before are another table. */
  #prepare(parameters: readonly ParameterInfo[]): void {
    if (this.#parameters && JSON.stringify(this.#parameters) === JSON.stringify(parameters)) return;
    this.#parameters = parameters;
    this.#tables.norms?.close();
    this.#tables.updates?.close();
    this.#unkeep();
    const isNone = parameters.length === 0;
    this.#tables.norms = isNone ? null : this.#table('norms', 0);
    this.#tables.updates = isNone ? null : this.#table('updates', 0);
  }

  /** Rows that were kept are about to be others. */
  #unkeep(): void {
    if (this.#isKept) fs.rmSync(path.join(this.#folder, keptFile), { force: true });
    this.#isKept = false;
  }

  #startAnew(): void {
    for (const table of allTables(this.#tables)) table.close();
    this.#tables = this.#begin();
    this.#snapshot = this.#emptySnapshot();
  }

  #begin(): Tables {
    this.#parameters = null;
    this.#isKept = false;
    this.#keptBytes = 0;
    fs.rmSync(this.#folder, { recursive: true, force: true });
    fs.mkdirSync(this.#folder, { recursive: true });
    return { steps: this.#table('steps', 0), tests: this.#table('tests', 0), norms: null, updates: null };
  }

  #restore(): { tables: Tables; snapshot: RunSnapshot } {
    const kept = decode(fs.readFileSync(path.join(this.#folder, keptFile))) as Kept;
    if (kept.version !== version) throw new Error('of another version');
    const { identities } = this.#history;
    if (!kept.logs.every((log, index) => log === identities[index])) throw new Error('of other logs');
    if (this.#history.isCutAfter(kept.logs.length)) throw new Error('cut since');
    if (kept.mark) this.#history.adopt(kept.mark);
    this.#parameters = kept.parameters;
    const isNone = !kept.parameters || kept.parameters.length === 0;
    const tables: Tables = {
      steps: this.#table('steps', kept.rows.steps),
      tests: this.#table('tests', kept.rows.tests),
      norms: isNone ? null : this.#table('norms', kept.rows.norms),
      updates: isNone ? null : this.#table('updates', kept.rows.updates),
    };
    this.#isKept = true;
    this.#keptBytes = this.#history.doneBytes;
    return { tables, snapshot: { ...kept.snapshot, plan: this.#history.origin.plan } };
  }

  #table(name: keyof Tables, nRows: number): Pyramid {
    const parameters = this.#parameters ?? [];
    const isOfTensors = name === 'norms' || name === 'updates';
    const makers = { steps: () => stepTags, tests: () => testRowTags, norms: normTags, updates: updateTags };
    const tags = makers[name](parameters);
    if (name === 'norms') this.#normRow = new Float64Array(tags.nColumns);
    if (name === 'updates') this.#updateRow = new Float64Array(tags.nColumns);
    return new Pyramid({ folder: this.#folder, name, tags, nRows, bytesPerValue: isOfTensors ? 4 : 8 });
  }

  #emptySnapshot(): RunSnapshot {
    return emptySnapshot(nobody, this.#history.origin.plan);
  }
}

/** The name of a run's folder in the cache. */
export function seriesFolderName({ id, folder }: RunPlace): string {
  return createHash('sha256').update(`${id}\0${folder}`).digest('hex').slice(0, 32);
}

/** Whoever sends the snapshot says which run it is. */
const nobody = {} as RunSummary;

/** NaN where a record has fewer tensors than its run. */
function setHalves(row: Float64Array, nTensors: number, halves: readonly [Float32Array, Float32Array]): void {
  if (halves.some(({ length }) => length < nTensors)) row.fill(Number.NaN);
  halves.forEach((half, index) => {
    row.set(half.subarray(0, nTensors), index * nTensors);
  });
}

/** As `scalarTags`. */
function stepRow({ loss, accuracy, learningRate }: StepRecord): number[] {
  return [loss, accuracy, learningRate];
}

function testRow(record: TestRecord): number[] {
  const { validation, robustAccuracy, auc } = record;
  return [
    ...[record.loss, record.accuracy, robustAccuracy ?? Number.NaN],
    ...[validation?.loss ?? Number.NaN, validation?.accuracy ?? Number.NaN, auc ?? Number.NaN],
  ];
}
