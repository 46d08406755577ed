// Logs made by hand, for who only looks at a run.
import type { RunStatus } from '../../server/protocol/run.ts';
import { LogWriter } from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { thisProcess } from '../../server/run/owner.ts';
import type { Owner } from '../../server/run/owner.ts';
import type { RunProgress } from '../../server/run/stored.ts';
import { progressOf } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';

interface Written {
  /** Null for a log without a state. */
  readonly status?: RunStatus | null;
  readonly change?: Partial<RunProgress>;
  readonly owner?: Owner;
  readonly restStatus?: RunStatus | null;
  readonly further?: readonly Buffer[];
  /** Of its first row; 1 as if there were none before. */
  readonly firstSeq?: number;
}

/** A log whose state, if it has one, is followed by what else the test wants. */
export function begin(folder: string, number: number, written: Written): void {
  const { status = null, owner = thisProcess(), restStatus = null, further = [], change = {}, firstSeq = 1 } = written;
  const progress = { ...progressOf(glance(folder).summary), status: status ?? 'training', ...change };
  const state = status === null ? [] : [encodeFrame('state', { progress, seq: firstSeq - 1, evaluations: number + 5 })];
  const head = {
    ...{ format: 'kafscope log' as const, version: 1, number, owner, work: 'train' as const, startedMs: 1 },
    ...{ firstSeq, voids: null, restStatus },
  };
  new LogWriter(folder, head, [...state, ...further]).close();
}
