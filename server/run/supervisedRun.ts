// A run as the supervisor keeps it, and why it refuses what is asked of one.
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { RunSummary } from '../protocol/run.ts';
import type { GoneTrainer } from './forkTrainer.ts';
import type { Life } from './lifeWatch.ts';
import { readHead } from './logFile.ts';
import { markSign } from './markFile.ts';
import { isRunFolder } from './runFolder.ts';
import { filesSign, newestOf } from './runGlance.ts';
import type { Work } from './runPlan.ts';
import { RunStateError } from './runStateError.ts';

export interface Entry {
  readonly id: string;
  summary: RunSummary;
  /** Where it is at work, if not here; null where that is not known. */
  place: string | null;
  life: Life | null;
  /** Of the files it was last read from; it is read again where they changed. */
  seen: string;
  child: ChildProcess | null;
  /** The last that was asked for here. */
  work: Work | null;
}

export function newestFirst(entries: Iterable<Entry>): RunSummary[] {
  const runs = Array.from(entries, ({ summary }) => summary);
  return runs.sort((a, b) => b.createdMs - a.createdMs || b.id.localeCompare(a.id));
}

/** Whether the newest work on the run is not that of our trainer: then only the folder knows. */
export function isOthers(folder: string, work: Work | null, trainer: GoneTrainer) {
  const newest = newestOf(folder);
  if (!work || newest < work.incarnation) return false;
  if (newest > work.incarnation) return true;
  const head = readHead(folder, newest);
  // A log without a head is that of a trainer whose disk refused it, if it says so.
  return head ? head.owner.pid !== trainer.pid : trainer.refusal === null;
}

export function notHere({ place, life }: Entry): string {
  if (!place) return 'it is not at work here';
  const sign = life === 'unheard' ? '; whether it still lives will be known within a minute and a half' : '';
  return `it is at work elsewhere: ${place}${sign}`;
}

export function wrongState(entry: Entry, participle: string, why: string): RunStateError {
  return new RunStateError(
    'wrongState',
    `Run ${entry.id} is ${entry.summary.status} and can't be ${participle}: ${why}.`,
  );
}

/** Whether there is a run that is not known, or none any more where one was, by one look into the folder. */
export function hasOtherFolders(runsFolder: string, known: ReadonlyMap<string, Entry>): boolean {
  try {
    const names = new Set(fs.readdirSync(runsFolder));
    const isNew = (name: string) => !known.has(name) && isRunFolder(path.join(runsFolder, name));
    return [...names].some(isNew) || [...known.keys()].some((id) => !names.has(id));
  } catch {
    return false; // the folder is gone or can't be read, which the next list says
  }
}

export function signOf(folder: string): string {
  return `${filesSign(folder)} ${markSign(folder)}`;
}
