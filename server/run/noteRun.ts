// A last word on a run by someone who may say it: a server that saw its trainer die, or took it from its queue. It is a log of its
// own, begun exclusively, so that it can't speak over someone at work.
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { LogWriter } from './logFile.ts';
import { encodeFrame } from './logFrames.ts';
import { thisProcess } from './owner.ts';
import { progressOf } from './runFolder.ts';
import { glance } from './runGlance.ts';
import { RunHistory } from './runHistory.ts';
import { storedVersion } from './stored.ts';
import type { StoredState } from './stored.ts';

/** @throws SupersededError where work on the run began meanwhile; StorageError where nothing can be written. */
export function noteEnd(
  folder: string,
  end: { readonly status: RunStatus; readonly message: string | null },
  { incarnation, nowMs }: { readonly incarnation: number; readonly nowMs: number },
): RunSummary {
  const { summary, evaluations } = glance(folder);
  const history = new RunHistory(folder);
  let seq: number;
  try {
    seq = history.lastSeq();
  } finally {
    history.close();
  }
  const ended: RunSummary = { ...summary, ...end, incarnation, updatedMs: nowMs };
  const state: StoredState = { progress: progressOf(ended), seq, evaluations };
  new LogWriter(
    folder,
    {
      ...{ format: 'kafscope log', version: storedVersion, number: incarnation, owner: thisProcess(), work: 'note' },
      ...{ startedMs: nowMs, firstSeq: seq + 1, voids: null, restStatus: null },
    },
    [encodeFrame('state', state)],
  ).close();
  return ended;
}
