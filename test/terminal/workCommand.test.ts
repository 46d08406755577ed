// One cell of a sweep, as a cluster's job does it: where it ends, and whether it is put back.
import fs from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogWriter, newestLog } from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { checkpointsFolder, listRunFolders, progressOf } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import type { OpenTrainer } from '../../server/run/trainer.ts';
import { atOnce } from '../../server/experiment/turns.ts';
import { storedCells } from '../../server/sweep/storedCells.ts';
import { runsFolderOf, writeAsk, writeCells } from '../../server/sweep/sweepFolder.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { workCommand, type WorkCommand } from '../../server/terminal/workCommand.ts';
import { openScriptedTrainer, scriptedEvaluation, type Script } from '../run/scriptedTrainer.ts';
import { cellSet, makeScriptedSweep, scriptedCells, work } from '../sweep/scriptedSweep.ts';
import { standIn } from '../sweep/batch/standIn.ts';

/** Does something when a step's record has come, before the next. */
function actingAt(step: number, act: () => void): OpenTrainer {
  return async (plan) => {
    const trainer = await openScriptedTrainer(plan);
    return {
      ...trainer,
      train: async function* (trained, options) {
        for await (const event of trainer.train(trained, options)) {
          yield event;
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === step) act();
        }
      },
    };
  };
}

function start(folder: string, change: Partial<WorkCommand> = {}, openTrainer = openScriptedTrainer) {
  const told: string[] = [];
  const write = (text: string) => told.push(text.trimEnd());
  const terminal = new Terminal({ isJson: false, output: { write }, errors: { write } });
  const command = { target: folder, runsFolder: runsFolderOf(folder), cell: '0', of: null, threads: null, job: null };
  return { told, ended: workCommand({ ...command, ...change }, { terminal, openTrainer, version: '0' }) };
}

/** This process as the third element of an array of Slurm, whose commands stand in for the real ones. */
function inJob() {
  const host = standIn({ SLURM_JOB_ID: '15', SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' });
  for (const [name, value] of Object.entries(host.env)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return host;
}

const before = new Map((['SIGTERM', 'SIGUSR2'] as const).map((signal) => [signal, process.listeners(signal)]));

// The command leaves these to the end of its process.
afterEach(() => {
  for (const [signal, listeners] of before)
    for (const listener of process.listeners(signal)) if (!listeners.includes(listener)) process.off(signal, listener);
});

const sweep = (...scripts: readonly Script[]) => makeScriptedSweep(scriptedCells(scripts));
const runs = (folder: string) => listRunFolders(runsFolderOf(folder)).map((run) => glance(run).summary);

describe('a cell', () => {
  it('that begins from what others leave waits for that, and then takes no step again', async () => {
    const cut = scriptedCells(['steps'], { evaluation: [scriptedEvaluation], parts: 2 });
    const folder = makeScriptedSweep(atOnce(storedCells(cut)));
    for (const [cell, behind] of [
      ['1', 'seed 0 · part 2/2 begins from what another cell of the same training leaves, and that is not there yet.'],
      ['2', 'seed 0 begins from what its parts find, and that is not there yet.'],
    ] as const)
      await expect(start(folder, { cell }).ended).rejects.toThrow(behind);
    for (const cell of ['0', '1', '2']) expect(await start(folder, { cell }).ended).toBe(0);
    expect(runs(folder).map(({ status, step }) => [status, step])).toEqual(Array(3).fill(['finished', 12]));
    expect(listRunFolders(runsFolderOf(folder)).map((run) => glance(run).origin.plan.part?.index)).toEqual([
      0,
      1,
      undefined,
    ]);
  });

  it('is trained in its run, which is made where there is none, and once', async () => {
    const folder = sweep('steps', 'steps');
    expect(await start(folder, { cell: '1' }).ended).toBe(0);
    expect(runs(folder)).toMatchObject([{ seed: 1, status: 'finished', step: 12 }]);
    const again = start(folder, { cell: '1' });
    expect(await again.ended).toBe(0);
    expect(again.told.at(-1)).toMatch(/ is finished already\.$/);
    expect(newestLog(listRunFolders(runsFolderOf(folder))[0]!)).toBe(0);
  });

  it('is attacked, not trained, where its experiment has got an attack since', async () => {
    const folder = sweep('steps');
    expect(await start(folder).ended).toBe(0);
    writeCells(folder, cellSet(scriptedCells(['steps'], { evaluation: [scriptedEvaluation] })));
    expect(await start(folder).ended).toBe(0);
    expect(runs(folder)).toMatchObject([
      { status: 'finished', incarnation: 1, figures: [{ plan: scriptedEvaluation }] },
    ]);
    const again = start(folder);
    expect(await again.ended).toBe(0);
    expect(again.told.at(-1)).toMatch(/ is finished already\.$/);
  });

  it('is that of the set that its number is of', async () => {
    const cells = scriptedCells(['steps', 'steps', 'steps']);
    const folder = makeScriptedSweep(cells.slice(1));
    writeCells(folder, cellSet(cells));
    expect(await start(folder, { of: '0' }).ended).toBe(0);
    expect(runs(folder)).toMatchObject([{ seed: 1 }]);
  });

  it.each([
    [{ cell: '2' }, '--cell 2: expected an integer in [0, 1].'],
    [{ cell: 'x' }, '--cell x: expected an integer, 0 or more.'],
    [{ threads: '0' }, '--threads 0: expected an integer, 1 or more.'],
    [{ target: 'none' }, 'There is no sweep none'],
  ])('can not be %j', async (change, message) => {
    await expect(start(sweep('steps', 'steps'), change).ended).rejects.toThrow(message);
  });

  it('is not worked on where a queue or another process does', async () => {
    const folder = sweep('endless');
    const working = work(folder);
    await working.until(({ status }) => status === 'training');
    await expect(start(folder).ended).rejects.toThrow(' is at work (process ');
    working.queue.stop();
    await working.queue.ended;
  });

  it('that fails ends with 1, and with its reason', async () => {
    const { told, ended } = start(sweep('throws'));
    expect(await ended).toBe(1);
    expect(told.at(-1)).toBe('Out of memory. Lower training.batchSize.');
    const folder = sweep('diverges');
    expect(await start(folder).ended).toBe(1);
    const again = start(folder);
    expect(await again.ended).toBe(1);
    expect(again.told.at(-1)).toMatch(/ is diverged: The loss is not finite/);
  });
});

describe('a cell in a job', () => {
  it('is put back with a checkpoint when its time is over, and goes on from there', async () => {
    const host = inJob();
    const folder = sweep('steps');
    const cut = start(
      folder,
      { job: 'slurm' },
      actingAt(5, () => process.emit('SIGUSR2', 'SIGUSR2')),
    );
    expect(await cut.ended).toBe(130);
    expect(host.asked('scontrol')).toEqual([['requeue', '12_3']]);
    expect(runs(folder)).toMatchObject([{ status: 'interrupted', step: 5 }]);
    expect(cut.told.at(-1)).toMatch(/^put back: Slurm starts it again/);
    const [run] = listRunFolders(runsFolderOf(folder));
    expect(fs.readdirSync(checkpointsFolder(run!))).toContain('step-5.safetensors');
    expect(await start(folder, { job: 'slurm' }).ended).toBe(0);
    expect(runs(folder)).toMatchObject([{ status: 'finished', step: 12, incarnation: 1 }]);
  });

  it.each([
    ['it is told to end', () => process.emit('SIGTERM', 'SIGTERM')],
    [
      'it is told to end behind that',
      () => {
        process.emit('SIGUSR2', 'SIGUSR2');
        process.emit('SIGTERM', 'SIGTERM');
      },
    ],
  ])('is not put back where %s', async (_, act) => {
    const host = inJob();
    const folder = sweep('steps');
    expect(await start(folder, { job: 'slurm' }, actingAt(5, act)).ended).toBe(130);
    expect(runs(folder)).toMatchObject([{ status: 'interrupted', step: 5, checkpoints: [{ step: 4 }, { step: 5 }] }]);
    expect(host.asked('scontrol')).toEqual([]);
  });

  it('is not put back where the sweep was stopped, nor where it has come no further', async () => {
    const host = inJob();
    const stopped = sweep('steps');
    const stop = () => {
      writeAsk(stopped, 'stop');
      process.emit('SIGUSR2', 'SIGUSR2');
    };
    expect(await start(stopped, { job: 'slurm' }, actingAt(5, stop)).ended).toBe(130);
    const still = sweep('steps');
    const atOnce: OpenTrainer = (plan) => {
      process.emit('SIGUSR2', 'SIGUSR2');
      return openScriptedTrainer(plan);
    };
    const { told, ended } = start(still, { job: 'slurm' }, atOnce);
    expect(await ended).toBe(130);
    expect(told.at(-1)).toMatch(/^Its time was over before it came further than before, so it is not put back/);
    expect(host.asked('scontrol')).toEqual([]);
  });

  it('is told where it can not be put back', async () => {
    const host = inJob();
    host.fails('scontrol', 'scontrol: error: no\n');
    const { told, ended } = start(
      sweep('steps'),
      { job: 'slurm' },
      actingAt(5, () => process.emit('SIGUSR2', 'SIGUSR2')),
    );
    expect(await ended).toBe(130);
    expect(told.at(-1)).toBe('It could not be put back: scontrol: no Give the sweep to Slurm again to go on.');
  });

  it('takes over at once from the process that the same job had before, be it alive', async () => {
    inJob();
    for (const [job, isTaken] of [
      ['slurm 12_3', true],
      ['slurm 12_4', false],
    ] as const) {
      const own = sweep('steps');
      await start(
        own,
        {},
        actingAt(5, () => process.emit('SIGTERM', 'SIGTERM')),
      ).ended;
      const [run] = listRunFolders(runsFolderOf(own));
      const { summary } = glance(run!);
      const progress = { ...progressOf(summary), status: 'training' as const };
      const head = {
        ...{
          format: 'kafscope log' as const,
          version: 1,
          number: 1,
          owner: { ...thisProcess(), job },
          work: 'train' as const,
        },
        ...{ startedMs: 1, firstSeq: 1000, voids: null, restStatus: null },
      };
      new LogWriter(run!, head, [encodeFrame('state', { progress, seq: 999, evaluations: 0 })]).close();
      const { ended } = start(own, { job: 'slurm' });
      if (isTaken) expect(await ended).toBe(0);
      else await expect(ended).rejects.toThrow(/ is at work \(process .*, slurm 12_4\)/);
      expect(newestLog(run!)).toBe(isTaken ? 2 : 1);
    }
  });
});
