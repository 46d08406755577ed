// The trainer's side of a child process: obeys its parent, drives one run, and ends. Entry files pass in what they train with.
import { Announcer } from './announcer.ts';
import { SupersededError } from './logFile.ts';
import { wantingMore } from './processSignals.ts';
import { RunControl } from './runControl.ts';
import { runPlan } from './runPlan.ts';
import { systemClock } from './runRecorder.ts';
import { StorageError } from './storageError.ts';
import type { OpenTrainer } from './trainer.ts';
import type { FromTrainer, ToTrainer } from './trainerMessages.ts';

/**
 * Waits for `begin` from the parent process. @throws Error where there is no parent with an IPC channel.
 * @param own this process, or what stands for it
 */
export function runTrainerProcess(openTrainer: OpenTrainer, own: NodeJS.Process = process): void {
  if (!own.send)
    throw new Error('A trainer is started by the Kafscope server. To train from a terminal: kafscope train.');
  const control = new RunControl();
  own.on('disconnect', () => {
    control.interrupt('The server went away while the run was at work. Resume it to go on from its last checkpoint.');
  });
  // A terminal's Ctrl+C reaches the whole process group; the server says how the run ends.
  own.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', wantingMore] as const) {
    own.on(signal, () => {
      control.interrupt('The trainer was told to end. Resume the run to go on from its last checkpoint.');
    });
  }
  own.on('message', (message: ToTrainer) => {
    switch (message.type) {
      case 'begin':
        void work(message, openTrainer, control, own);
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
  send(own, { type: 'ready' });
}

async function work(
  begin: Extract<ToTrainer, { type: 'begin' }>,
  openTrainer: OpenTrainer,
  control: RunControl,
  own: NodeJS.Process,
): Promise<void> {
  const announcer = new Announcer((summary) => {
    send(own, { type: 'changed', summary });
  });
  const log = (text: string) => own.stderr.write(`${text}\n`);
  try {
    const summary = await runPlan(begin.work, {
      folder: begin.folder,
      clock: systemClock,
      control,
      openTrainer,
      log,
      onChange: (changed) => {
        announcer.announce(changed);
      },
    });
    send(own, { type: 'ended', summary });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof StorageError && !(error instanceof SupersededError)) send(own, { type: 'refused', message });
    log(message);
    own.exitCode = 1;
  }
  own.removeAllListeners('message');
  if (own.connected) own.disconnect();
}

function send(own: NodeJS.Process, message: FromTrainer): void {
  // A parent that is gone raises 'disconnect', which decides what happens; the message itself has no one to reach.
  if (own.connected) own.send?.(message, undefined, undefined, () => {});
}
