// `kafscope doctor RUN`: whether a run is whole: its logs, its steps, its checkpoints, and from where it would go on. Only looks.
import path from 'node:path';
import { LifeWatch } from '../run/lifeWatch.ts';
import { checkpointFault } from '../run/checkpointFile.ts';
import { fileSize, logFile, readHead, readTail } from '../run/logFile.ts';
import { checkpointsFolder } from '../run/runFolder.ts';
import { glance, judged } from '../run/runGlance.ts';
import { RunHistory } from '../run/runHistory.ts';
import { resumePoint } from '../run/resumeRun.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @throws StorageError where it can't be read as a run @returns the exit code: 1 where something is wrong */
export function doctorRunCommand(folder: string, terminal: Terminal): number {
  const seen = glance(folder);
  const { summary } = judged(seen, new LifeWatch());
  const history = new RunHistory(folder);
  try {
    const faults: string[] = [];
    const steps = countSteps(history, faults);
    for (const { file, bytes } of history.damages) {
      faults.push(`${path.basename(file)}: ${String(bytes)} bytes are damaged; what is around them was read.`);
    }
    for (let number = 0; number <= history.newest; number++) {
      const file = logFile(folder, number);
      if (fileSize(file) > 0 && readTail(file, 'state').rest === 'damaged')
        faults.push(`${path.basename(file)}: what follows its last row is damaged; what is before it was read.`);
    }
    const files = summary.checkpoints.map(({ file }) => ({
      file,
      fault: checkpointFault(path.join(checkpointsFolder(folder), file)),
    }));
    faults.push(...files.flatMap(({ fault }) => (fault === null ? [] : [fault])));
    const { checkpoint } = resumePoint(history);
    terminal.event({
      type: 'doctorRun',
      id: summary.id,
      folder,
      isWhole: faults.length === 0,
      status: summary.status,
      rows: steps.rows,
      steps: steps.last,
      checkpoints: files.length,
      resumesFrom: checkpoint,
      faults,
    });
    terminal.line(`${summary.id} · ${summary.status} · step ${String(summary.step)} of ${String(summary.steps)}`);
    for (let number = 0; number <= history.newest; number++) {
      const head = readHead(folder, number);
      const who = head
        ? `${head.work} by process ${String(head.owner.pid)} on ${head.owner.host}`
        : 'its head can’t be read';
      const voids = head?.voids ? `, goes on from step ${String(Math.max(0, head.voids.step))}` : '';
      terminal.line(`log-${String(number)}: ${who}${voids}`);
    }
    terminal.line(`${String(steps.rows)} rows, steps 1 to ${String(steps.last)}, ${String(files.length)} checkpoints`);
    terminal.line(`would go on from ${checkpoint ?? 'the beginning'}`);
    for (const fault of faults) terminal.error(fault);
    terminal.line(faults.length === 0 ? 'Whole.' : 'Not whole. What can be read is shown all the same.');
    return faults.length === 0 ? exitCodes.done : exitCodes.failed;
  } finally {
    history.close();
  }
}

function countSteps(history: RunHistory, faults: string[]): { rows: number; last: number } {
  let rows = 0;
  let last = 0;
  history.forEachRow(0, ({ record }) => {
    rows++;
    if (record.type !== 'step') return;
    if (record.step !== last + 1) {
      faults.push(
        `After step ${String(last)} comes step ${String(record.step)}: those between are missing in the log.`,
      );
    }
    last = record.step;
  });
  return { rows, last };
}
