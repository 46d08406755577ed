// A resumed run's log and weights equal those of a run that was never cut off.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isResumable } from '../../server/protocol/run.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { readCheckpoint } from '../../server/run/checkpointFile.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { logFile } from '../../server/run/logFile.ts';
import { frameAt } from '../../server/run/logFrames.ts';
import type { Frame } from '../../server/run/logFrames.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { glance, judged } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { resumePoint } from '../../server/run/resumeRun.ts';
import { RunRecorder } from '../../server/run/runRecorder.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { RunReader } from '../../server/run/runReader.ts';
import type { StoredRow } from '../../server/run/stored.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import {
  createScriptedRun,
  filesOf,
  fromStart,
  goOn,
  killTrainerAt,
  readRows,
  scriptedClock,
  startScriptedRun,
  trainScripted,
} from './scriptedRun.ts';

/** Ends at step 7 with a checkpoint there. */
async function interruptedRun(): Promise<string> {
  const { folder } = createScriptedRun(scriptedPlan('steps'));
  const { control, ended } = startScriptedRun(folder, fromStart, {
    onChange: (summary) => {
      if (summary.step === 7) control.interrupt('The server went away.');
    },
  });
  await ended;
  return folder;
}

function resume(folder: string) {
  return startScriptedRun(folder, goOn(folder)).ended;
}

function pointOf(folder: string) {
  const history = new RunHistory(folder);
  try {
    return resumePoint(history);
  } finally {
    history.close();
  }
}

function records(folder: string): RunRecord[] {
  return readRows(folder).map((row) => row.record);
}

describe('resuming', () => {
  it('cuts the log after the last whole checkpoint and makes the rest again', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    // The newest checkpoint is cut off, as by a copy that broke: the one before counts, and steps 5 to 7 come again.
    fs.truncateSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'), 300);
    const end = await resume(folder);
    expect(end).toMatchObject({ status: 'finished', message: null, step: 12 });
    expect(records(folder)).toEqual(records(whole.folder));
    expect(readRows(folder).map(({ seq }) => seq)).toEqual(readRows(whole.folder).map(({ seq }) => seq));
    expect(end.checkpoints).toEqual(whole.checkpoints);
    const weights = (run: string) => readCheckpoint(path.join(checkpointsFolder(run), 'step-12.safetensors')).state;
    expect(weights(folder)).toEqual(weights(whole.folder));
  });

  it('goes on from the checkpoint of an interruption, which stays in the log', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    await resume(folder);
    const isScheduled = (record: RunRecord) => !(record.type === 'checkpointed' && record.step === 7);
    expect(records(folder)).toHaveLength(records(whole.folder).length + 1);
    expect(records(folder).filter(isScheduled)).toEqual(records(whole.folder));
  });

  it('begins again where no checkpoint is left', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    fs.rmSync(checkpointsFolder(folder), { recursive: true });
    expect(pointOf(folder)).toMatchObject({ checkpoint: null, progress: { step: 0, loss: null, checkpoints: [] } });
    await resume(folder);
    expect(records(folder)).toEqual(records(whole.folder));
  });

  it('keeps evaluations of the weights it goes on from, and numbers later ones after them', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation] }));
    const first = startScriptedRun(folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 7) first.control.stop();
      },
    });
    await first.ended;
    const checkpoint = 'step-7.safetensors';
    const work = { type: 'evaluate', incarnation: 1, checkpoint, evaluation: scriptedEvaluation } as const;
    await startScriptedRun(folder, work).ended;
    await resume(folder);
    const evaluations = records(folder).flatMap((record) => (record.type === 'evaluationStarted' ? [record] : []));
    expect(evaluations.map(({ evaluation, step }) => [evaluation, step])).toEqual([
      [1, 7],
      [2, 12],
    ]);
  });

  it('tells TensorBoard from which step on older files are void', async () => {
    const folder = await interruptedRun();
    const before = fs.readdirSync(folder).filter((name) => name.includes('tfevents'));
    expect(before).toHaveLength(1);
    const sessionStart = (step: number) => Buffer.from([0x10, step, 0x3a, 2, 8, 1]); // step · session_log {status: START}
    expect(fs.readFileSync(path.join(folder, before[0]!)).includes(sessionStart(1))).toBe(true);
    await startScriptedRun(folder, goOn(folder), { clock: scriptedClock(9_000_000) }).ended;
    const after = fs.readdirSync(folder).filter((name) => name.includes('tfevents'));
    expect(after).toHaveLength(2);
    expect(fs.readFileSync(path.join(folder, after.at(-1)!)).includes(sessionStart(8))).toBe(true);
  });

  it('takes the checkpoint before one with a flipped bit, and says which', async () => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    const file = path.join(checkpointsFolder(folder), 'step-7.safetensors');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 3]! ^= 4;
    fs.writeFileSync(file, bytes);
    const point = pointOf(folder);
    expect(point.checkpoint).toBe('step-4.safetensors');
    expect(point.faults.join()).toMatch(/step-7\.safetensors.*is damaged/);
    await resume(folder);
    expect(records(folder)).toEqual(records(whole.folder));
  });

  it('does what was left after the last step', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps', { evaluation: [scriptedEvaluation] }));
    const first = startScriptedRun(folder, fromStart, {
      onChange: (summary) => {
        if (summary.step === 12) first.control.interrupt('The server went away.');
      },
    });
    const cut = await first.ended;
    expect(cut).toMatchObject({ status: 'interrupted', step: 12, steps: 12, robustAccuracy: null });
    expect(isResumable(cut)).toBe(true);
    expect(await resume(folder)).toMatchObject({ status: 'finished', step: 12, robustAccuracy: 0.2 });
  });

  it('makes the summary anew from the rows that stay', async () => {
    const folder = await interruptedRun();
    fs.rmSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'));
    const { progress, checkpoint } = pointOf(folder);
    expect(checkpoint).toBe('step-4.safetensors');
    expect(progress).toMatchObject({
      step: 4,
      epoch: 1,
      loss: 1 / 4,
      cleanAccuracy: 4 / 5,
      steps: 12,
    });
    expect(progress.checkpoints.map(({ step }) => step)).toEqual([4]);
  });
});

describe('a run whose process is gone', () => {
  it('is interrupted to whoever looks, and nothing is written', async () => {
    const { folder } = createScriptedRun(scriptedPlan('endless'));
    await killTrainerAt(folder, 6);
    const before = filesOf(folder);
    const { summary, life } = judged(glance(folder), new LifeWatch());
    expect(summary).toMatchObject({ status: 'interrupted', step: expect.any(Number) as number });
    expect(summary.step).toBeGreaterThanOrEqual(6);
    expect([life, isResumable(summary)]).toEqual(['dead', true]);
    expect(summary.message).toMatch(/^Its process ended without a message.*[Rr]esume the run/);
    expect(filesOf(folder)).toEqual(before);
  });

  it('falls back to its status of before where only its evaluation was cut off', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const seen = glance(folder);
    const summary = { ...seen.summary, status: 'evaluating' as const };
    const gone = { ...seen.owner!, pid: 2 ** 22 + 1 };
    const { summary: settled } = judged({ ...seen, summary, owner: gone, restStatus: 'finished' }, new LifeWatch());
    expect(settled).toMatchObject({ status: 'finished', message: expect.stringContaining('attack') as string });
    expect(isResumable(settled)).toBe(false);
  });

  it('keeps every row that its process had written, and equals an uninterrupted one once it has gone on', async () => {
    const { folder } = createScriptedRun(scriptedPlan('endless'));
    await killTrainerAt(folder, 45);
    const before = readRows(folder);
    const lastStep = glance(folder).summary.step;
    const goes = startScriptedRun(folder, goOn(folder), {
      onChange: (summary) => {
        if (summary.step >= lastStep + 15) goes.control.stop();
      },
    });
    await goes.ended;
    const rows = readRows(folder);
    expect(rows.slice(0, before.length).map(({ record }) => record)).toEqual(before.map(({ record }) => record));
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  });
});

describe('an attack that was cut off', () => {
  it('leaves the run its status for the next one', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    // A recorder that is never closed, as of a process that was killed.
    const cut = new RunRecorder('evaluate', 1, {
      folder,
      clock: scriptedClock(),
      onChange: () => {},
      startHeartbeat: () => () => {},
    });
    cut.update({ status: 'evaluating' });
    const checkpoint = 'step-4.safetensors';
    const work = { type: 'evaluate', incarnation: 2, checkpoint, evaluation: scriptedEvaluation } as const;
    expect(await startScriptedRun(folder, work).ended).toMatchObject({ status: 'finished', robustAccuracy: 0.2 });
  });
});

describe('a log with a hole', () => {
  it.each([6, 7])('is resumed from a checkpoint before it: step %i', async (lost) => {
    const whole = await trainScripted(scriptedPlan('steps'));
    const folder = await interruptedRun();
    // A row is lost, as on a disk that lied about a sync.
    const file = logFile(folder, 0);
    const bytes = fs.readFileSync(file);
    for (let at = 0; at < bytes.length;) {
      const frame = frameAt(bytes, at) as Frame;
      const [row] = frame.kind === 'rows' ? (frame.payload as StoredRow[]) : [];
      if (row?.record.type === 'step' && row.step === lost) bytes.fill(0, at, frame.end);
      at = frame.end;
    }
    fs.writeFileSync(file, bytes);
    const history = new RunHistory(folder);
    const point = resumePoint(history);
    expect(history.damages).toHaveLength(1);
    history.close();
    expect(point.checkpoint).toBe('step-4.safetensors');
    expect(point.faults).toEqual([
      `step-7.safetensors is passed over: step ${String(lost)} is missing in the log before it.`,
    ]);
    await resume(folder);
    expect(records(folder)).toEqual(records(whole.folder));
  });
});

describe('RunReader', () => {
  it('grows a snapshot with the log to what a fresh fold gives', async () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const growing = new RunReader();
    const cursors: Promise<number>[] = [];
    let latest: RunSummary | null = null;
    const { ended } = startScriptedRun(folder, fromStart, {
      onChange: (summary) => {
        latest = summary;
        cursors.push(growing.snapshot(() => latest!).then(({ cursor }) => cursor));
      },
    });
    const run = await ended;
    const fresh = new RunReader();
    expect(await growing.snapshot(() => run)).toEqual(await fresh.snapshot(() => run));
    // How many snapshots fall between two commits is the machine's affair.
    expect(new Set(await Promise.all(cursors)).size).toBeGreaterThan(2);
    growing.close();
    fresh.close();
  });

  it('forgets what later work has made void', async () => {
    const folder = await interruptedRun();
    fs.rmSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'));
    const reader = new RunReader();
    const { summary } = glance(folder);
    expect((await reader.snapshot(() => summary)).steps.step).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const run = await resume(folder);
    const fresh = new RunReader();
    expect(await reader.snapshot(() => run)).toEqual(await fresh.snapshot(() => run));
    reader.close();
    fresh.close();
  });

  it('forgets it, too, where it could not read on behind what told it so', async () => {
    const folder = await interruptedRun();
    fs.rmSync(path.join(checkpointsFolder(folder), 'step-7.safetensors'));
    const reader = new RunReader();
    const { summary } = glance(folder);
    await reader.snapshot(() => summary);
    const run = await resume(folder);
    fs.mkdirSync(logFile(folder, 2));
    await expect(reader.snapshot(() => run)).rejects.toThrow('is no regular file');
    fs.rmdirSync(logFile(folder, 2));
    const fresh = new RunReader();
    expect(await reader.snapshot(() => run)).toEqual(await fresh.snapshot(() => run));
    reader.close();
    fresh.close();
  });

  it('gives the rows after a cursor', async () => {
    const run = await trainScripted(scriptedPlan('steps'));
    const reader = new RunReader();
    const rows = readRows(run.folder);
    expect(reader.rows(run, 0)).toEqual(rows);
    expect(reader.rows(run, 5)).toEqual(rows.slice(5));
    expect(reader.rows(run, rows.length)).toEqual([]);
    expect(reader.lastSeq(run)).toBe(rows.length);
    reader.close();
  });
});
