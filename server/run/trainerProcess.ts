// The trainer's side of a child process: obeys its parent, drives one run, and ends. Entry files pass in what they train with.
import type { RunStatus, RunSummary } from '../protocol/run.ts';
import { wantingMore } from './processSignals.ts';
import { RunControl } from './runControl.ts';
import { runPlan } from './runPlan.ts';
import { systemClock } from './runRecorder.ts';
import type { OpenTrainer } from './trainer.ts';
import type { FromTrainer, ToTrainer } from './trainerMessages.ts';

const mostASecond = 10;

/** Waits for `begin` from the parent process. @throws Error where there is no parent with an IPC channel. */
export function runTrainerProcess(openTrainer: OpenTrainer): void {
  if (!process.send)
    throw new Error('A trainer is started by the Kafscope server. To train from a terminal: kafscope train.');
  const control = new RunControl();
  process.on('disconnect', () => {
    control.interrupt('The server went away while the run was at work. Resume it to go on from its last checkpoint.');
  });
  // A terminal's Ctrl+C reaches the whole process group; the server says how the run ends.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', wantingMore] as const) {
    process.on(signal, () => {
      control.interrupt('The trainer was told to end. Resume the run to go on from its last checkpoint.');
    });
  }
  process.on('message', (message: ToTrainer) => {
    switch (message.type) {
      case 'begin':
        void work(message, openTrainer, control);
        return;
      case 'pause':
        control.pause();
        return;
      case 'resume':
        control.resume();
        return;
      case 'stop':
        control.stop();
        return;
      case 'interrupt':
        control.interrupt(message.message);
        return;
      default:
        message satisfies never;
    }
  });
  send({ type: 'ready' });
}

async function work(begin: Extract<ToTrainer, { type: 'begin' }>, openTrainer: OpenTrainer, control: RunControl) {
  const announcer = new Announcer();
  try {
    const summary = await runPlan(begin.work, {
      folder: begin.folder,
      clock: systemClock,
      control,
      openTrainer,
      log: (text) => process.stderr.write(`${text}\n`),
      onChange: (changed) => {
        announcer.announce(changed);
      },
    });
    announcer.close();
    send({ type: 'ended', summary });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
  process.removeAllListeners('message');
  if (process.connected) process.disconnect();
}

/**
 * Says changes at once while fewer than ten were said in the last second, so that what a slow step held up isn't held up
 * longer; otherwise the latest when its turn comes. A change of status never waits.
 */
class Announcer {
  #latest: RunSummary | null = null;
  #status: RunStatus | null = null;
  #sentMs: number[] = [];
  #timer: NodeJS.Timeout | null = null;

  announce(summary: RunSummary): void {
    this.#latest = summary;
    const tenthLastMs = this.#sentMs.at(-mostASecond) ?? -Infinity;
    const waitMs = this.#status === summary.status ? tenthLastMs + 1000 - performance.now() : 0;
    if (waitMs <= 0) this.#send();
    else
      this.#timer ??= setTimeout(() => {
        this.#send();
      }, waitMs);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #send(): void {
    this.close();
    this.#timer = null;
    if (!this.#latest) return;
    this.#status = this.#latest.status;
    this.#sentMs = [...this.#sentMs.slice(1 - mostASecond), performance.now()];
    send({ type: 'changed', summary: this.#latest });
  }
}

function send(message: FromTrainer): void {
  // A parent that is gone raises 'disconnect', which decides what happens; the message itself has no one to reach.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
