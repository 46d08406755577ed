// What Slurm's commands write, read; and its words for why a job waits or how it ended, for people.
import type { Element } from './scheduler.ts';

/** Job's name last: it may hold the separator, ours does not. */
export const squeueFormat = '%i|%T|%r|%N|%M|%j';

/** The elements among the lines of `squeue -h -r -o FORMAT`; jobs without elements are not ours. */
export function readSqueue(text: string): Element[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', state = '', reason = '', node = '', time = '', ...name] = line.split('|');
    return elementOf({ id, state, reason, node, seconds: secondsOf(time), jobName: name.join('|') });
  });
}

export const sacctFields = 'JobID,State,NodeList,ElapsedRaw,JobName';

/** The same among those of `sacct -n -X -P -o FIELDS`. */
export function readSacct(text: string): Element[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', state = '', node = '', seconds = '', ...name] = line.split('|');
    return elementOf({ id, state, reason: '', node, seconds: Number(seconds) || 0, jobName: name.join('|') });
  });
}

interface Read {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly node: string;
  readonly seconds: number;
  readonly jobName: string;
}

function elementOf({ id, state, reason, node, seconds, jobName }: Read): Element[] {
  const found = /^(\d+)_(\d+)$/.exec(id);
  // `CANCELLED by 1000`, `CANCELLED+`
  const word = /^[A-Z_]+/.exec(state)?.[0] ?? '';
  const known = states[word];
  if (!found || known === undefined) return [];
  const why = known === 'waiting' ? waitingText(word, reason) : known === 'failed' ? failureText(word, reason) : null;
  const isPlaced = node !== '' && !node.startsWith('(') && node !== 'None assigned';
  return [
    {
      jobId: found[1]!,
      index: Number(found[2]),
      jobName,
      state: known,
      reason: why,
      node: isPlaced ? node : null,
      seconds,
    },
  ];
}

const states: Readonly<Record<string, Element['state']>> = {
  ...{
    PENDING: 'waiting',
    REQUEUED: 'waiting',
    REQUEUE_HOLD: 'waiting',
    REQUEUE_FED: 'waiting',
    SPECIAL_EXIT: 'waiting',
  },
  ...{ CONFIGURING: 'working', RUNNING: 'working', SUSPENDED: 'working', STOPPED: 'working', SIGNALING: 'working' },
  ...{ RESIZING: 'working', STAGE_OUT: 'working' },
  // With --requeue these two are left only where the cluster forbids it.
  ...{ COMPLETING: 'ending', COMPLETED: 'done', PREEMPTED: 'out of time', NODE_FAIL: 'out of time' },
  ...{ TIMEOUT: 'out of time', DEADLINE: 'out of time', CANCELLED: 'cancelled', REVOKED: 'cancelled' },
  ...{ FAILED: 'failed', OUT_OF_MEMORY: 'failed', BOOT_FAIL: 'failed' },
};

/** Slurm's words by what they begin with; the first that fits counts. */
const reasons: readonly (readonly [string, string])[] = [
  ['JobArrayTaskLimit', 'as many as may run at once do'],
  ['BeginTime', 'starts again shortly'],
  ['Resources', 'waits for free nodes'],
  ['Priority', 'others are before it'],
  ['Dependency', 'waits for another job'],
  ['PartitionTimeLimit', 'asks for more time than the partition allows; it never starts'],
  ['PartitionNodeLimit', 'asks for more than the partition has; it never starts'],
  ['PartitionDown', 'the partition is down'],
  ['PartitionInactive', 'the partition takes no jobs now'],
  ['ReqNodeNotAvail', 'nodes that it needs are down, taken or reserved'],
  ['Nodes required for job are DOWN', 'nodes that it needs are down, taken or reserved'],
  ['BadConstraints', 'no node is as it asks; it never starts'],
  ['JobHeldUser', 'held by you; scontrol release lets it go'],
  ['JobHeldAdmin', 'held by the cluster’s administrators'],
  ['InvalidAccount', 'the account is not valid here'],
  ['InvalidQOS', 'the QOS is not valid here'],
  ['QOS', 'the limit of the QOS is reached'],
  ['Assoc', 'the limit of your account is reached'],
  ['MaxMemPerLimit', 'asks for more memory than is allowed; it never starts'],
  ['Licenses', 'waits for a licence'],
  ['Reservation', 'waits for its reservation'],
  ['Prolog', 'its node is being prepared'],
  ['launch failed requeued held', 'it could not be started, and is held; scontrol release tries again'],
  ['job requeued in held state', 'it was put back and is held; scontrol release lets it go'],
  ['None', 'Slurm has not looked at it yet'],
];

/** With Slurm's own word, which is what its documents and administrators know. */
function waitingText(state: string, reason: string): string {
  if (state !== 'PENDING') return 'starts again shortly';
  // `ReqNodeNotAvail, UnavailableNodes:n1`
  const found = reasons.find(([begin]) => reason.startsWith(begin));
  if (!found) return reason || 'waits';
  return found[0] === 'None' ? found[1] : `${found[1]} (${reason})`;
}

function failureText(state: string, reason: string): string {
  if (state === 'OUT_OF_MEMORY') return 'it used more memory than it had asked for; set memory higher';
  if (state === 'BOOT_FAIL') return 'its node did not start';
  if (reason === 'JobLaunchFailure') return 'its node could not start it';
  return 'it ended with an error';
}

/** Of `2-03:04:05`, `3:04:05` or `4:05`; 0 of anything else. */
function secondsOf(time: string): number {
  const [, days = '0', clock = ''] = /^(?:(\d+)-)?([\d:]+)$/.exec(time) ?? [];
  return clock === '' ? 0 : Number(days) * 86_400 + clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
