// Who works on a sweep, and what was done: logs in the manner of a run's, of which the newest has the sweep. Which run a cell has is
// an event in them.
import { z } from 'zod';
import { atOnce, type Turns } from '../experiment/turns.ts';
import { encodeFrame } from '../run/logFrames.ts';
import { beatFile, fileSize, logFile, LogWriter, newestLog, readHead, readPassage } from '../run/logFile.ts';
import { startHeartbeat, type StartHeartbeat } from '../run/heartbeat.ts';
import type { Sign } from '../run/lifeWatch.ts';
import { thisProcess, type Owner } from '../run/owner.ts';
import { StorageError } from '../run/storageError.ts';
import { storedVersion } from '../run/stored.ts';

const eventSchema = z.discriminatedUnion('type', [
  /** The cell has this run, from now on. */
  z.object({ type: z.literal('run'), identity: z.string().max(64), runId: z.string().max(255) }),
  z.object({ type: z.literal('status'), status: z.enum(['working', 'paused', 'resting']) }),
  /** Asks up to this one were heard. */
  z.object({ type: z.literal('heard'), ask: z.int().min(-1) }),
]);
export type SweepEvent = z.infer<typeof eventSchema>;

export interface SweepLogState {
  /** Run ids by the identity of a cell's plan. */
  readonly runs: ReadonlyMap<string, string>;
  readonly status: 'working' | 'paused' | 'resting';
  readonly heard: number;
  /** Of the newest log; −1 where there is none. */
  readonly number: number;
  readonly owner: Owner | null;
  /** Changes while its writer lives. */
  readonly sign: Sign;
}

/** All that is in the logs. @throws StorageError */
export function readSweepLog(folder: string): SweepLogState {
  return atOnce(sweepLogOf(folder));
}

/** A thousand cells, each begun a hundred times, make less. */
const maxBytes = 32 * 1024 * 1024;

/** As `readSweepLog`, a megabyte at a time. @throws StorageError */
export function* sweepLogOf(folder: string): Turns<SweepLogState> {
  const number = newestLog(folder);
  const runs = new Map<string, string>();
  let status: SweepLogState['status'] = 'resting';
  let heard = -1;
  let sizeBytes = 0;
  for (let log = 0; log <= number; log++) {
    const file = logFile(folder, log);
    sizeBytes += fileSize(file);
    if (sizeBytes > maxBytes)
      throw new StorageError(`${file} is damaged: it is longer than any log of a sweep that Kafscope makes.`);
    for (const events of eventsOf(file)) {
      for (const event of events) {
        if (event.type === 'run') runs.set(event.identity, event.runId);
        else if (event.type === 'heard') heard = event.ask;
        else status = event.status;
      }
      yield;
    }
  }
  const owner = number < 0 ? null : (readHead(folder, number)?.owner ?? null);
  const sizes = number < 0 ? [] : [logFile(folder, number), beatFile(folder, number)].map(fileSize);
  const sign = { incarnation: owner?.incarnation ?? `${folder} ${String(number)}`, value: sizes.join() };
  return { runs, status, heard, number, owner, sign };
}

function* eventsOf(file: string): Generator<SweepEvent[]> {
  for (let position = 0; ;) {
    const { frames, end, isAtEnd } = readPassage(file, position);
    yield frames.flatMap(({ kind, payload }) => (kind === 'rows' ? (eventSchema.safeParse(payload).data ?? []) : []));
    if (isAtEnd) return;
    position = end;
  }
}

/** Has the sweep until a newer one is begun. */
export class SweepLog {
  readonly #writer: LogWriter;
  readonly #stopHeartbeat: () => void;

  /** @throws SupersededError where another process was faster; StorageError */
  constructor(
    folder: string,
    number: number,
    { nowMs, beat = startHeartbeat }: { nowMs: number; beat?: StartHeartbeat },
  ) {
    this.#writer = new LogWriter(folder, {
      ...{ format: 'kafscope log', version: storedVersion, number, owner: thisProcess(), work: 'sweep' },
      ...{ startedMs: nowMs, firstSeq: 1, voids: null, restStatus: null },
    });
    this.#stopHeartbeat = beat(beatFile(folder, number));
  }

  /** On the disk when it returns. @throws StorageError */
  append(event: SweepEvent): void {
    this.#writer.append(encodeFrame('rows', event));
    this.#writer.sync();
  }

  /** @throws SupersededError where another process has taken the sweep over */
  checkOwnership(): void {
    this.#writer.checkOwnership();
  }

  close(): void {
    this.#stopHeartbeat();
    this.#writer.close();
  }
}
