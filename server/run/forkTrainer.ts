// A trainer process as its supervisor sees it: that it is ready, how its run goes, and how it ended.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { isLive } from '../protocol/run.ts';
import type { RunSummary } from '../protocol/run.ts';
import { noDebugger } from './processSignals.ts';
import type { FromTrainer } from './trainerMessages.ts';

export interface GoneTrainer {
  /** Absent where there never was a process. */
  readonly pid: number | undefined;
  /** The run's summary at its end; null where it ended without one: then the rest says how. */
  readonly end: RunSummary | null;
  readonly status: 'failed' | 'interrupted';
  readonly text: string;
  /** Why it could not begin, by its disk; null where it had begun, or ended without a word. */
  readonly refusal: string | null;
  /** The last line that it wrote for developers. */
  readonly lastWords: string;
}

export interface TrainerListener {
  readonly log: (line: string) => void;
  readonly onReady: () => void;
  readonly onProgress: (summary: RunSummary) => void;
  /** Once, when nobody writes the run's folder any more. */
  readonly onGone: (gone: GoneTrainer) => void;
}

const stderrKeptBytes = 4000;

/** @param file bundle or source of the trainer process */
export function forkTrainer(file: string, { log, onReady, onProgress, onGone }: TrainerListener): ChildProcess {
  const child = fork(file, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning', ...noDebugger],
    cwd: path.dirname(file),
  });
  let stderr = '';
  let end: RunSummary | null = null;
  let refusal: string | null = null;
  let exit: Pick<GoneTrainer, 'status' | 'text'> = { status: 'failed', text: 'could not be started' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrKeptBytes);
    log(text.trimEnd());
  });
  child.on('message', (message: FromTrainer) => {
    switch (message.type) {
      case 'ready':
        onReady();
        return;
      case 'changed':
      case 'ended': {
        const { summary } = message;
        // A run is at rest once nobody writes its folder any more.
        if (isLive(summary.status)) onProgress(summary);
        else end = summary;
        return;
      }
      case 'refused':
        refusal = message.message;
        return;
      default:
        message satisfies never;
    }
  });
  child.on('error', (error) => {
    exit = { status: 'failed', text: `failed (${error.message})` };
    log(error.message);
    if (child.pid === undefined) child.emit('close', null, null);
  });
  child.on('exit', (code, signal) => {
    exit = signal
      ? { status: 'interrupted', text: `was ended by ${signal}` }
      : { status: 'failed', text: `ended with code ${String(code)}` };
  });
  child.once('close', () => {
    onGone({ pid: child.pid, end, ...exit, refusal, lastWords: stderr.trim().split('\n').at(-1)! });
  });
  return child;
}
