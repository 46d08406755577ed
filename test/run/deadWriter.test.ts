// A writer that was thought dead and lives, as on a cluster's node that lost its network: what it writes after another has begun work on
// the run counts for nothing, whatever it is at.
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { LogWriter, logFile } from '../../server/run/logFile.ts';
import { createScriptedRun, fromStart, goOn, readRows, startScriptedRun } from './scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';

const evaluation = [scriptedEvaluation];

/** What counts of a run, told without the places at which its checkpoints were made. */
function records(folder: string) {
  return readRows(folder).map(({ record }) => record);
}

async function wholeRun() {
  const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation }));
  await startScriptedRun(folder).ended;
  return records(folder);
}

/** The old writer appends the nth of its rows, and the new one does all its work before the next. */
async function overtakenAt(isMoment: (type: string) => boolean): Promise<string> {
  const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation }));
  const taken: Promise<unknown>[] = [];
  const old = startScriptedRun(folder, fromStart, {
    // Its disk hides the new log from it, as a disk of a cluster may for a minute.
    beginLog: (...all) => Object.assign(new LogWriter(...all), { checkOwnership: () => {} }),
    onRows: ([row]) => {
      if (isMoment(row!.record.type) && taken.length === 0) taken.push(startScriptedRun(folder, goOn(folder)).ended);
    },
  });
  await old.ended;
  expect(taken).toHaveLength(1);
  await Promise.all(taken);
  return folder;
}

it.each(['step', 'norms', 'checkpointed', 'evaluationStarted', 'attackProgress', 'evaluationFinished'])(
  'overtaken at its first %s, it changes nothing of what counts',
  async (type) => {
    const folder = await overtakenAt((one) => one === type);
    expect(fs.existsSync(logFile(folder, 1))).toBe(true);
    const rows = readRows(folder);
    expect(rows.map(({ seq }) => seq)).toEqual([...new Set(rows.map(({ seq }) => seq))].toSorted((a, b) => a - b));
    const whole = await wholeRun();
    const training = (all: typeof whole) =>
      all.filter(({ type }) => !type.startsWith('evaluation') && type !== 'attackProgress');
    expect(training(records(folder))).toEqual(training(whole));
    const finished = records(folder).filter((one) => one.type === 'evaluationFinished');
    expect(finished).toEqual(whole.filter((one) => one.type === 'evaluationFinished'));
  },
);
