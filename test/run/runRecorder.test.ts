// What a recorder writes when: rows and states in its log, checkpoints and what is pruned of them, TensorBoard's events; and what it
// does when the run is no longer its own.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CheckpointsPlan, Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { checkpointName } from '../../server/run/checkpointFile.ts';
import { EventsFile } from '../../server/run/eventsFile.ts';
import { logFile, readHead, readPassage, SupersededError } from '../../server/run/logFile.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { RunRecorder, systemClock } from '../../server/run/runRecorder.ts';
import type { StoredRow, StoredState } from '../../server/run/stored.ts';
import { begin } from './handMadeLog.ts';
import { createScriptedRun, readRows, scriptedClock } from './scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan, scriptedState } from './scriptedTrainer.ts';

const step = (at: number): RunRecord => ({
  ...{ type: 'step', step: at, epoch: 1, loss: 1 / at, accuracy: 0.5, learningRate: 0.1 },
});
const tested = (at: number, accuracy: number): RunRecord => ({
  ...{ type: 'test', step: at, epoch: 1, loss: 1, accuracy, samples: 10, robustAccuracy: null, robustSamples: 0 },
});
const prepared: RunRecord = {
  ...{ type: 'prepared', parameters: [], activations: [], steps: 12, stepsPerEpoch: 4, epochs: 3 },
};

interface Made {
  readonly plan?: Partial<Plan>;
  readonly folder?: string;
  readonly number?: number;
  readonly work?: 'train' | 'evaluate';
  readonly startMs?: number;
}

function recording({ plan = {}, folder = createScriptedRun(scriptedPlan('steps', plan)).folder, ...made }: Made = {}) {
  const { number = 0, work = 'train' } = made;
  const summaries: RunSummary[] = [];
  const seqs: number[] = [];
  const stopped: string[] = [];
  let look = () => {};
  const recorder = new RunRecorder(work, number, {
    folder,
    clock: {
      now: scriptedClock(made.startMs).now,
      every: (_ms, callback) => {
        look = callback;
        return () => stopped.push('clock');
      },
    },
    onChange: (summary) => summaries.push(summary),
    onRows: (rows) => seqs.push(...rows.map(({ seq }) => seq)),
    startHeartbeat: () => () => stopped.push('heartbeat'),
  });
  const passage = () => readPassage(logFile(folder, number), 0).frames;
  return {
    ...{ recorder, folder, summaries, seqs, stopped, passage },
    kinds: () => passage().map(({ kind }) => kind),
    look: () => {
      look();
    },
  };
}

function eventFiles(folder: string): string[] {
  return fs.readdirSync(folder).filter((name) => name.includes('tfevents'));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a log', () => {
  it('begins with its head and a state that says so', () => {
    const { kinds, folder, summaries } = recording();
    expect(kinds()).toEqual(['head', 'state']);
    expect(glance(folder).summary.status).toBe('preparing');
    expect(summaries).toEqual([expect.objectContaining({ status: 'preparing', incarnation: 0 })]);
  });

  it('has a row a frame, numbered from 1, each with the step that a resume goes by', () => {
    const { recorder, kinds, passage, seqs } = recording();
    const [started, progress, finished]: RunRecord[] = [
      { type: 'evaluationStarted', evaluation: 1, plan: scriptedEvaluation, step: 1, samples: 10 },
      { type: 'attackProgress', evaluation: 1, restart: 0, samples: 5, robust: Int32Array.of(5, 1) },
      {
        ...{ type: 'evaluationFinished', evaluation: 1, samples: 10, isPartial: false },
        ...{ clean: { value: 1, low: 1, high: 1 }, robust: { value: 0, low: 0, high: 0 } },
      },
    ];
    for (const record of [prepared, step(1), started!, progress!, finished!]) recorder.record(record);
    expect(kinds()).toEqual(['head', 'state', 'rows', 'rows', 'rows', 'rows', 'rows']);
    const rows = passage().flatMap(({ kind, payload }) => (kind === 'rows' ? (payload as StoredRow[]) : []));
    expect(rows.map(({ seq, step: at }) => [seq, at])).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it('has a state again behind every 64 KiB of rows, which are counted anew after each', () => {
    const { recorder, kinds, passage } = recording();
    const large: RunRecord = { type: 'shapes', step: 1, alphas: [new Float32Array(7500)] }; // 30 kB
    for (let i = 0; i < 8; i++) recorder.record(large);
    const afterFour = ['rows', 'rows', 'rows', 'rows', 'state'];
    expect(kinds()).toEqual(['head', 'state', ...afterFour, ...afterFour]);
    expect((passage().at(-1)!.payload as StoredState).seq).toBe(8);
    // A checkpoint brings one, too, and counts anew.
    recorder.record(large);
    recorder.record(large);
    recorder.checkpoint(scriptedState(1, 1));
    for (let i = 0; i < 4; i++) recorder.record(large);
    expect(kinds().slice(12)).toEqual(['rows', 'rows', 'rows', 'state', ...afterFour]);
  });

  it('is on the disk, and its timers are over, when it is given up', () => {
    const { recorder, folder, stopped } = recording();
    const closed = vi.spyOn(EventsFile.prototype, 'close');
    recorder.openEvents(1);
    const synced = vi.spyOn(fs, 'fsyncSync');
    const inode = fs.statSync(logFile(folder, 0)).ino;
    const inodes: number[] = [];
    synced.mockImplementation((descriptor) => inodes.push(fs.fstatSync(descriptor).ino));
    recorder.close();
    expect(inodes).toEqual([inode]);
    expect(stopped).toEqual(['heartbeat', 'clock']);
    expect(closed).toHaveBeenCalledOnce();
  });

  it('that another has followed is written no more, whatever is to be written', () => {
    const { recorder, folder, look, kinds, summaries } = recording();
    recorder.record(step(1));
    look();
    recorder.record(step(2));
    begin(folder, 1, { status: 'training' });
    look();
    look();
    const before = kinds();
    expect(() => {
      recorder.record(step(3));
    }).toThrow(SupersededError);
    expect(() => {
      recorder.checkpoint(scriptedState(2, 1));
    }).toThrow(SupersededError);
    expect(() => {
      recorder.update({ status: 'failed', message: 'It is another’s.' });
    }).toThrow(SupersededError);
    expect(kinds()).toEqual(before);
    expect(fs.readdirSync(checkpointsFolder(folder))).toEqual([]);
    expect(summaries.at(-1)).toMatchObject({ status: 'failed', message: 'It is another’s.', step: 2 });
  });

  it('that could not be looked at for once is given up all the same', () => {
    const { recorder, folder, look } = recording();
    vi.spyOn(fs, 'readdirSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('gone'), { code: 'ESTALE' });
    });
    look();
    expect(() => {
      recorder.checkpoint(scriptedState(1, 1));
    }).toThrow(/has lost the file \(ESTALE\)/);
    expect(fs.readdirSync(checkpointsFolder(folder))).toEqual([]);
  });

  it('of an attack goes on behind the rows of the run, and keeps what that is at rest', () => {
    const { recorder, folder } = recording();
    for (const at of [1, 2, 3]) recorder.record(step(at));
    recorder.close();
    const attack = recording({ folder, number: 1, work: 'evaluate' });
    expect(readHead(folder, 1)).toMatchObject({ work: 'evaluate', firstSeq: 4, voids: null });
    // Its process has not said how it ended.
    expect(attack.recorder.restStatus).toBe('interrupted');
    attack.recorder.record({
      ...{ type: 'evaluationStarted', evaluation: attack.recorder.nextEvaluation(), plan: scriptedEvaluation },
      ...{ step: 3, samples: 10 },
    });
    expect(readRows(folder).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    attack.recorder.close();
    begin(folder, 2, { status: 'evaluating', restStatus: 'diverged' });
    expect(recording({ folder, number: 3, work: 'evaluate' }).recorder.restStatus).toBe('diverged');
    begin(folder, 4, { status: 'finished' });
    expect(recording({ folder, number: 5, work: 'evaluate' }).recorder.restStatus).toBe('finished');
  });

  it('closes what it read to begin, and to open TensorBoard’s file', () => {
    const closed = vi.spyOn(RunHistory.prototype, 'close');
    const { recorder } = recording();
    expect(closed).toHaveBeenCalledTimes(1);
    recorder.openEvents(1);
    expect(closed).toHaveBeenCalledTimes(2);
  });
});

describe('a checkpoint', () => {
  it('comes after the rows before it are on the disk, with its size in the state that follows', () => {
    const { recorder, folder, kinds, summaries } = recording();
    recorder.record(step(1));
    const log = fs.statSync(logFile(folder, 0)).ino;
    const inodes: number[] = [];
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => inodes.push(fs.fstatSync(descriptor).ino));
    fs.rmdirSync(checkpointsFolder(folder)); // it is made where it is missing
    recorder.checkpoint(scriptedState(1, 1));
    expect(inodes[0]).toBe(log);
    expect(inodes.length).toBeGreaterThan(1);
    expect(kinds()).toEqual(['head', 'state', 'rows', 'rows', 'state']);
    const sizeBytes = fs.statSync(path.join(checkpointsFolder(folder), checkpointName(1))).size;
    const checkpoints = [{ file: checkpointName(1), step: 1, epoch: 1, sizeBytes }];
    expect(glance(folder).summary.checkpoints).toEqual(checkpoints);
    expect(summaries.at(-1)!.checkpoints).toEqual(checkpoints);
    recorder.checkpoint(scriptedState(1, 1));
    expect(kinds()).toHaveLength(5);
  });

  it('whose file can not be seen once it is written takes no number', () => {
    const { recorder, folder } = recording();
    recorder.record(step(1));
    const { statSync } = fs;
    vi.spyOn(fs, 'statSync').mockImplementation(((file: string, options: object) => {
      if (file.endsWith(checkpointName(1))) throw Object.assign(new Error('gone'), { code: 'EIO' });
      return statSync(file, options);
    }) as typeof fs.statSync);
    expect(() => {
      recorder.checkpoint(scriptedState(1, 1));
    }).toThrow(/step-1\.safetensors: the disk reports a hardware error/);
    vi.restoreAllMocks();
    recorder.record(step(2));
    expect(readRows(folder).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(glance(folder).summary.checkpoints).toEqual([]);
  });

  const keeping = (keep: CheckpointsPlan['keep']): Made => ({ plan: { checkpoints: { keep } } });
  const last = { last: 1, everyEpochs: 0, best: false };

  it('lets those go that the plan does not keep, says so once, and writes it down', () => {
    const { recorder, folder, summaries, kinds } = recording(keeping(last));
    recorder.record(step(1));
    recorder.checkpoint(scriptedState(1, 1));
    const nSaid = summaries.length;
    recorder.record(step(2));
    recorder.checkpoint(scriptedState(2, 2));
    expect(summaries.slice(nSaid).map(({ checkpoints }) => checkpoints.length)).toEqual([1, 2, 1]);
    expect(kinds().slice(-3)).toEqual(['rows', 'state', 'state']);
    expect(glance(folder).summary.checkpoints.map(({ step: at }) => at)).toEqual([2]);
    expect(fs.readdirSync(checkpointsFolder(folder))).toEqual([checkpointName(2)]);
  });

  it('lets none go before it was read back whole, and looks at it for nothing else', () => {
    const { recorder, folder } = recording(keeping(last));
    const read = vi.spyOn(fs, 'openSync');
    recorder.checkpoint(scriptedState(1, 1));
    expect(read.mock.calls.filter(([file, flags]) => String(file).endsWith('.safetensors') && flags !== 'wx')).toEqual(
      [],
    );
    const { renameSync } = fs;
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      renameSync(from, to);
      const bytes = fs.readFileSync(to);
      bytes[bytes.length - 1]! ^= 1;
      fs.writeFileSync(to, bytes);
    });
    expect(() => {
      recorder.checkpoint(scriptedState(2, 2));
    }).toThrow(/step-2\.safetensors/);
    expect(fs.readdirSync(checkpointsFolder(folder)).sort()).toEqual([checkpointName(1), checkpointName(2)]);
  });

  it('stays listed where it can not be deleted, and does not where someone else has deleted it', () => {
    const { recorder, folder } = recording(keeping(last));
    const listed = () => glance(folder).summary.checkpoints.map(({ step: at }) => at);
    recorder.checkpoint(scriptedState(1, 1));
    vi.spyOn(fs, 'rmSync').mockImplementation(() => {
      throw Object.assign(new Error('denied'), { code: 'EPERM' });
    });
    recorder.checkpoint(scriptedState(2, 2));
    vi.restoreAllMocks();
    expect(listed()).toEqual([1, 2]);
    fs.rmSync(path.join(checkpointsFolder(folder), checkpointName(1)));
    recorder.checkpoint(scriptedState(3, 3));
    expect(listed()).toEqual([3]);
  });

  it('that was best in the tests stays, those before the run was resumed among them', () => {
    const best = { last: 1, everyEpochs: 0, best: true };
    const first = recording(keeping(best));
    first.recorder.record(tested(2, 0.9)); // the first of all rows counts, too
    for (const at of [1, 2]) {
      first.recorder.record(step(at));
      first.recorder.checkpoint(scriptedState(at, at));
    }
    first.recorder.record(step(3));
    first.recorder.record(tested(3, 0.6));
    first.recorder.checkpoint(scriptedState(3, 3));
    expect(fs.readdirSync(checkpointsFolder(first.folder)).sort()).toEqual([checkpointName(2), checkpointName(3)]);
    first.recorder.close();
    const { recorder, folder } = recording({ folder: first.folder, number: 1 });
    for (const at of [4, 5]) {
      recorder.record(step(at));
      recorder.record(tested(at, 0.7));
      recorder.checkpoint(scriptedState(at, at));
    }
    // 3 is what it went on from.
    expect(fs.readdirSync(checkpointsFolder(folder)).sort()).toEqual([2, 3, 5].map(checkpointName));
  });

  it('that a killed writer left half is removed at the beginning, and nothing that a link leads to', () => {
    const run = createScriptedRun(scriptedPlan('steps'));
    const elsewhere = createScriptedRun(scriptedPlan('steps')).folder;
    const half = 'step-4.safetensors.1.ab.tmp';
    fs.writeFileSync(path.join(elsewhere, half), '');
    fs.rmdirSync(checkpointsFolder(run.folder));
    recording({ folder: run.folder }).recorder.close();
    fs.symlinkSync(elsewhere, checkpointsFolder(run.folder));
    recording({ folder: run.folder, number: 1 }).recorder.close();
    expect(fs.readdirSync(elsewhere)).toContain(half);
  });
});

describe('TensorBoard’s file', () => {
  it('gets every row, and is one more when the run goes on, which knows what was prepared', () => {
    const { recorder, folder } = recording();
    recorder.openEvents(1);
    const added = vi.spyOn(EventsFile.prototype, 'add');
    for (const record of [prepared, step(1)]) recorder.record(record);
    recorder.update({ device: 'scripted' });
    expect(added.mock.calls.map(([rows]) => rows.map(({ seq }) => seq))).toEqual([[1], [2]]);
    recorder.checkpoint(scriptedState(1, 1));
    recorder.close();
    const names = ['conv1', 'kaf1'];
    const parameters = names.map((name) => ({ name, layer: name, shape: [1] }));
    const norms: RunRecord = {
      ...{ type: 'norms', step: 2, weights: Float32Array.of(1, 2), gradients: Float32Array.of(1, 2) },
      ...{ nonFiniteWeights: Int32Array.of(0, 0), nonFiniteGradients: Int32Array.of(0, 0) },
    };
    const other = recording();
    other.recorder.record({ ...prepared, parameters });
    other.recorder.record(step(1));
    other.recorder.checkpoint(scriptedState(1, 1));
    other.recorder.close();
    const resumed = recording({ folder: other.folder, number: 1 });
    resumed.recorder.openEvents(2);
    resumed.recorder.record(norms);
    const [file] = eventFiles(other.folder);
    const text = fs.readFileSync(path.join(other.folder, file!), 'latin1');
    for (const name of names) expect(text).toContain(name);
    expect(eventFiles(folder)).toHaveLength(1);
  });

  it('is none where the plan has none', () => {
    const { observe } = scriptedPlan('steps');
    const { recorder, folder } = recording({ plan: { observe: { ...observe, tensorboard: false } } });
    recorder.openEvents(1);
    expect(eventFiles(folder)).toEqual([]);
  });
});

describe('a summary', () => {
  it('counts the time at work: no wait before it, no pause, no rest between processes', () => {
    const first = recording({ startMs: 5_000_000 });
    const worked = () => first.recorder.summary.workedMs;
    const before = first.recorder.summary.updatedMs;
    first.recorder.record(step(1));
    first.recorder.record(step(2));
    expect(worked()).toBe(first.recorder.summary.updatedMs - before);
    first.recorder.update({ status: 'paused' });
    const atPause = worked()!;
    for (let i = 0; i < 100; i++) first.recorder.update({ status: 'paused' }); // each takes its time
    first.recorder.update({ status: 'training' });
    expect(worked()).toBe(atPause);
    first.recorder.record(step(3));
    expect(worked()).toBe(atPause + 10);
    first.recorder.close();
    expect(glance(first.folder).summary.workedMs).toBe(atPause + 10);
    const second = recording({ folder: first.folder, number: 1, work: 'evaluate', startMs: 9_000_000 });
    second.recorder.record(step(4));
    expect(second.recorder.summary.workedMs).toBeLessThanOrEqual(atPause + 40);
    expect(second.recorder.summary.workedMs).toBeGreaterThan(atPause + 10);
  });

  it('has memory with the row that follows, and a speed that begins anew after a rest', () => {
    const { recorder, summaries } = recording();
    recorder.record(step(1));
    recorder.record(step(2));
    expect(summaries.at(-1)!.imagesPerSecond).toBe(1000);
    const nSaid = summaries.length;
    recorder.noteMemory({ usedBytes: 1, peakBytes: 2 });
    expect(summaries).toHaveLength(nSaid);
    for (let i = 0; i < 100; i++) recorder.update({ status: 'paused' }); // each takes its time
    recorder.rest();
    recorder.record(step(3));
    recorder.record(step(4));
    expect(summaries.at(-1)).toMatchObject({ imagesPerSecond: 1000, memory: { usedBytes: 1, peakBytes: 2 } });
    recorder.noteMemory({ usedBytes: 1, peakBytes: 3 });
    recorder.record(step(5));
    expect(summaries.at(-1)!.memory).toEqual({ usedBytes: 1, peakBytes: 3 });
  });
});

describe('the system’s clock', () => {
  it('calls back until it is told to end, and holds up no process', () => {
    const made = vi.spyOn(globalThis, 'setInterval');
    const over = vi.spyOn(globalThis, 'clearInterval');
    onTestFinished(() => {
      clearInterval(made.mock.results[0]?.value as NodeJS.Timeout);
    });
    const stop = systemClock.every(1_000_000, () => {});
    const timer = made.mock.results[0]!.value as NodeJS.Timeout;
    expect(made.mock.calls[0]![1]).toBe(1_000_000);
    expect(timer.hasRef()).toBe(false);
    expect(over).not.toHaveBeenCalled();
    stop();
    expect(over).toHaveBeenCalledExactlyOnceWith(timer);
  });
});
