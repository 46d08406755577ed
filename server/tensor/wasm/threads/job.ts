// How threads share one job of kernel calls: the words and the table of arguments that all of them see. The thread that asks for
// a job publishes it and works along; others take calls as they come. Starting and ending threads is elsewhere.

/** 32-bit words of `control`. */
const TICKET = 0;
const GENERATION = 1;
const N_DONE = 2;
const N_CALLS = 3;
const N_ARGUMENTS = 4;
const KERNEL = 5;
const SCRATCH_ARGUMENT = 6;
const SCRATCH_BYTES = 7;
const HAS_FAILED = 8;
const controlWords = 16;

/** A ticket is the job's number times this, plus the next call; the last of them means that none can be taken. */
const callsPerTicket = 1 << 12;
const noCall = callsPerTicket - 1;
const maxArguments = 1 << 15;

/** How often a thread looks for a change before it sleeps: some tens of microseconds, the pause between two kernels. */
const looksBeforeSleep = 4000;

/** Shared by all threads of a pool. */
export interface JobBoard {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly table: Float64Array<SharedArrayBuffer>;
}

/** One kernel, called once for each list of arguments; no call may depend on another. */
export interface Job {
  /** Its number in the list that all threads have. */
  readonly kernel: number;
  /** At most `maxCalls`, all of the same length. */
  readonly calls: readonly (readonly number[])[];
  /** The argument that is the address of scratch: each thread adds its index times so many bytes. */
  readonly scratch: { readonly argument: number; readonly sizeBytes: number } | null;
}

export type RunCall = (kernel: number, call: readonly number[]) => void;

export function makeJobBoard(): JobBoard {
  return {
    control: new Int32Array(new SharedArrayBuffer(controlWords * 4)),
    table: new Float64Array(new SharedArrayBuffer(maxArguments * 8)),
  };
}

/** Most calls of so many arguments that fit one job. */
export function maxCalls(nArguments: number): number {
  return Math.min(noCall, Math.floor(maxArguments / Math.max(1, nArguments)));
}

/**
 * Runs all calls, on this thread (number 0) and on those in `serveJobs`, and returns when the last has ended.
 * @throws whatever a call on this thread throws, or an Error where one on another thread failed
 */
export function runJob(board: JobBoard, { kernel, calls, scratch }: Job, run: RunCall): void {
  const { control, table } = board;
  const nArguments = calls[0]?.length ?? 0;
  const generation = (control[GENERATION]! + 1) & 0x7ffff;
  // A thread that is late for the last job must not take its ticket for one of this.
  Atomics.store(control, TICKET, noCall);
  Atomics.store(control, N_CALLS, calls.length);
  calls.forEach((call, index) => {
    table.set(call, index * nArguments);
  });
  control[KERNEL] = kernel;
  control[N_ARGUMENTS] = nArguments;
  control[SCRATCH_ARGUMENT] = scratch?.argument ?? -1;
  control[SCRATCH_BYTES] = scratch?.sizeBytes ?? 0;
  control[HAS_FAILED] = 0;
  Atomics.store(control, N_DONE, 0);
  // From this store on calls can be taken, by threads that then see all that was written before.
  Atomics.store(control, TICKET, generation * callsPerTicket);
  Atomics.store(control, GENERATION, generation);
  Atomics.notify(control, GENERATION);

  const failures: Error[] = [];
  takeCalls(board, 0, run, (error) => failures.push(error));
  for (let looks = 0; ; looks++) {
    const nDone = Atomics.load(control, N_DONE);
    if (nDone === calls.length) break;
    if (looks > looksBeforeSleep) Atomics.wait(control, N_DONE, nDone);
  }
  if (failures[0]) throw failures[0];
  if (Atomics.load(control, HAS_FAILED) === 1) throw new Error('a kernel failed on another thread');
}

/** Takes calls of every job that is published, for ever; `index` is the thread's, from 1. A call that throws fails its job. */
export function serveJobs(board: JobBoard, index: number, run: RunCall): never {
  const { control } = board;
  for (let seen = 0; ;) {
    for (let looks = 0; Atomics.load(control, GENERATION) === seen; looks++) {
      if (looks > looksBeforeSleep) Atomics.wait(control, GENERATION, seen);
    }
    seen = Atomics.load(control, GENERATION);
    takeCalls(board, index, run, () => Atomics.store(control, HAS_FAILED, 1));
  }
}

/**
 * Until none is left. What describes the job is read only once a call is taken: the job can't end, and so the next can't be
 * published, before that call is done.
 */
function takeCalls({ control, table }: JobBoard, index: number, run: RunCall, fail: (error: Error) => void): void {
  for (;;) {
    const ticket = Atomics.load(control, TICKET);
    const taken = ticket % callsPerTicket;
    if (taken >= Atomics.load(control, N_CALLS)) return;
    if (Atomics.compareExchange(control, TICKET, ticket, ticket + 1) !== ticket) continue;
    const nArguments = control[N_ARGUMENTS]!;
    const call = Array.from(table.subarray(taken * nArguments, (taken + 1) * nArguments));
    const scratch = control[SCRATCH_ARGUMENT]!;
    if (scratch >= 0) call[scratch]! += index * control[SCRATCH_BYTES]!;
    try {
      run(control[KERNEL]!, call);
    } catch (error) {
      fail(error as Error);
    }
    const nCalls = control[N_CALLS];
    if (Atomics.add(control, N_DONE, 1) + 1 === nCalls) Atomics.notify(control, N_DONE);
  }
}
