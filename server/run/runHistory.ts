// A run's rows as they count: those of its logs in order, less what later logs have declared void, and before them those of a run of
// the older form. Reads beside the writer, takes no lock and writes nothing.
import fs from 'node:fs';
import type { Row } from '../protocol/records.ts';
import { fileSize, logFile, newestLog, readHead, readPassage, readTail } from './logFile.ts';
import { OldRun, oldRunFile } from './oldRun.ts';
import { originFile, readOrigin } from './runFolder.ts';
import { isVoid, storedStateSchema } from './stored.ts';
import { storedRows } from './storedRows.ts';
import type { LogHead, RunOrigin, StoredRow, Voids } from './stored.ts';

export interface Damage {
  readonly file: string;
  readonly bytes: number;
}

export interface PageLimit {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** A place in the logs: rows after `seq` begin there or later. */
export interface LogMark {
  readonly log: number;
  readonly seq: number;
  readonly position: number;
}

/** Its bytes are about its share of its frame. */
interface CountedRow {
  readonly row: StoredRow;
  readonly rowBytes: number;
}

/** What the logs behind one say of its rows. */
interface Later {
  readonly voids: readonly Voids[];
  /** Rows from here on were written by someone who was thought dead and is not. */
  readonly firstSeq: number;
}

/** Pages of a log's rows can be found again without reading it from its beginning. */
const markEveryBytes = 256 * 1024;
const oldPageRows = 500;

interface Log {
  readonly number: number;
  readonly file: string;
  head: LogHead | null;
  /** How long it was when it was found without a head; 0 where it is not there. */
  headlessBytes: number;
  /** Ascending: rows after `seq` begin at `position` or later. */
  readonly marks: { seq: number; position: number }[];
  /** By position, so that a second pass over it counts no damage again. */
  readonly damages: Map<number, number>;
}

export class RunHistory {
  readonly folder: string;
  readonly origin: RunOrigin;
  readonly #old: OldRun | null;
  #logs: Log[] = [];

  /** @throws StorageError */
  constructor(folder: string) {
    this.folder = folder;
    this.origin = readOrigin(folder);
    this.#old = fs.existsSync(originFile(folder)) || !fs.existsSync(oldRunFile(folder)) ? null : new OldRun(folder);
    this.refresh();
  }

  /** The number of the newest log; −1 where there is none. */
  get newest(): number {
    return this.#logs.length - 1;
  }

  /** Looks for logs begun since. True where one of them makes void what was read before. @throws StorageError */
  refresh(): boolean {
    let isCut = false;
    const newest = newestLog(this.folder);
    for (let number = 0; number <= newest; number++) {
      const log = (this.#logs[number] ??= {
        number,
        file: logFile(this.folder, number),
        head: null,
        marks: [],
        damages: new Map(),
        headlessBytes: 0,
      });
      if (log.head) continue;
      const sizeBytes = fileSize(log.file);
      if (sizeBytes === log.headlessBytes) continue;
      log.headlessBytes = sizeBytes;
      log.head = readHead(this.folder, number);
      if (log.head?.voids) isCut = true;
    }
    return isCut;
  }

  /** The newest log's head that can be read; null where there is none. */
  get head(): LogHead | null {
    return this.#logs.findLast(({ head }) => head)?.head ?? null;
  }

  /** Positions may be skipped: what was made void leaves a gap. @throws StorageError */
  lastSeq(): number {
    this.refresh();
    const log = this.#logs.findLast(({ head }) => head);
    if (!log?.head) return this.#old?.lastSeq() ?? 0;
    const { found, after } = readTail(log.file, 'state');
    const seqs = after.flatMap(({ kind, payload }) =>
      kind === 'rows' ? (storedRows(payload) ?? []).map(({ seq }) => seq) : [],
    );
    const state = found && storedStateSchema.safeParse(found.payload).data;
    return Math.max(state?.seq ?? log.head.firstSeq - 1, ...seqs);
  }

  /** Rows after the cursor in order: at most so many, and no further one once so many bytes are reached. @throws StorageError */
  rows(afterSeq: number, { maxRows, maxBytes }: PageLimit): Row[] {
    const rows: Row[] = [];
    let sizeBytes = 0;
    for (const page of this.pages(afterSeq)) {
      for (const { row, rowBytes } of page) {
        rows.push({ seq: row.seq, timeMs: row.timeMs, record: row.record });
        sizeBytes += rowBytes;
        if (rows.length >= maxRows || sizeBytes >= maxBytes) return rows;
      }
    }
    return rows;
  }

  /** @throws StorageError */
  forEachRow(afterSeq: number, visit: (row: StoredRow) => void): void {
    for (const page of this.pages(afterSeq)) for (const { row } of page) visit(row);
  }

  /** The nearest place at or before a cursor from which rows are found without reading what stands before them. */
  markBefore(afterSeq: number): number {
    return this.#logs.flatMap(({ marks }) => marks.map(({ seq }) => seq)).findLast((seq) => seq <= afterSeq) ?? 0;
  }

  /** The farthest place up to which the logs were read; null before. */
  get lastMark(): LogMark | null {
    const log = this.#logs.findLast(({ marks }) => marks.length > 0);
    return log ? { log: log.number, ...log.marks.at(-1)! } : null;
  }

  /** Another reader of the same logs has read up to there. */
  adopt({ log, seq, position }: LogMark): void {
    const marks = this.#logs[log]?.marks;
    if (!marks || seq < (marks.at(-1)?.seq ?? 0) || position > fileSize(this.#logs[log]!.file)) return;
    marks.push({ seq, position });
  }

  /** Of each log whose head is there, what no other log has. */
  get identities(): string[] {
    return this.#logs.flatMap(({ head, number }) => (head ? [`${String(number)} ${head.owner.incarnation}`] : []));
  }

  /** Whether a log makes rows void that were read with the first so many logs. */
  isCutAfter(nLogs: number): boolean {
    return this.#logs.slice(nLogs).some(({ head }) => head?.voids);
  }

  get sizeBytes(): number {
    return this.#logs.reduce((sum, { file }) => sum + fileSize(file), 0);
  }

  /** Of `sizeBytes`, about how much was read. */
  get doneBytes(): number {
    const last = this.lastMark;
    if (!last) return 0;
    return this.#logs.slice(0, last.log).reduce((sum, { file }) => sum + fileSize(file), last.position);
  }

  /** What of the logs read so far is no frame. */
  get damages(): Damage[] {
    return this.#logs.flatMap(({ file, damages }) => [...damages.values()].map((bytes) => ({ file, bytes })));
  }

  close(): void {
    this.#old?.close();
  }

  /** Rows after the cursor in order, about a megabyte of them at a time: it is read on when more are asked for. @throws StorageError */
  *pages(afterSeq: number): Generator<CountedRow[], void> {
    this.refresh();
    let last = afterSeq;
    const counted = function* (pages: Iterable<CountedRow[]>, later: Later): Generator<CountedRow[], void> {
      for (const page of pages) {
        yield page.filter(({ row }) => {
          // A hostile log may say anything: a cursor that does not grow would never end.
          if (row.seq <= last || row.seq >= later.firstSeq || later.voids.some((one) => isVoid(row, one))) return false;
          last = row.seq;
          return true;
        });
      }
    };
    if (this.#old) yield* counted(oldPages(this.#old, afterSeq), this.#laterThan(-1));
    const withHead = this.#logs.filter(({ head }) => head);
    const begin = withHead.findIndex((_, index) => (withHead[index + 1]?.head?.firstSeq ?? Infinity) - 1 > afterSeq);
    for (const log of withHead.slice(Math.max(0, begin)))
      yield* counted(this.#logPages(log, afterSeq), this.#laterThan(log.number));
  }

  *#logPages(log: Log, afterSeq: number): Generator<CountedRow[], void> {
    if (!log.head) return;
    const mark = log.marks.findLast(({ seq }) => seq <= afterSeq);
    let position = mark?.position ?? 0;
    let lastSeq = mark?.seq ?? log.head.firstSeq - 1;
    for (;;) {
      const passage = readPassage(log.file, position);
      if (passage.damagedBytes > 0) log.damages.set(position, passage.damagedBytes);
      const page: CountedRow[] = [];
      let begin = position;
      for (const { kind, payload, end } of passage.frames) {
        if (kind === 'rows') {
          const rows = storedRows(payload);
          if (!rows) log.damages.set(begin, end - begin);
          for (const row of rows ?? []) {
            lastSeq = row.seq;
            page.push({ row, rowBytes: (end - begin) / rows!.length });
          }
        } else if (kind === 'state' && !storedStateSchema.safeParse(payload).success) {
          log.damages.set(begin, end - begin);
        }
        const newestMark = log.marks.at(-1) ?? { seq: 0, position: 0 };
        if (end - newestMark.position >= markEveryBytes && lastSeq >= newestMark.seq)
          log.marks.push({ seq: lastSeq, position: end });
        begin = end;
      }
      if (passage.isAtEnd) return;
      yield page;
      position = passage.end;
    }
  }

  #laterThan(number: number): Later {
    const heads = this.#logs.slice(number + 1).flatMap(({ head }) => head ?? []);
    return {
      voids: heads.flatMap(({ voids }) => voids ?? []),
      firstSeq: Math.min(Infinity, ...heads.map(({ firstSeq }) => firstSeq)),
    };
  }
}

function* oldPages(old: OldRun, afterSeq: number): Generator<CountedRow[], void> {
  for (let cursor = afterSeq; ;) {
    const rows = old.rows(cursor, oldPageRows);
    if (rows.length === 0) return;
    yield rows.map((row) => ({ row, rowBytes: 300 }));
    cursor = rows.at(-1)!.seq;
  }
}
