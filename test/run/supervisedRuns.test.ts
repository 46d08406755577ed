// What a supervisor makes of the runs of a folder, of attacks on them, and of its own end: by children that do only what the test has
// them do.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { beatFile, logFile, newestLog, readHead } from '../../server/run/logFile.ts';
import { originFile } from '../../server/run/runFolder.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { glance } from '../../server/run/runGlance.ts';
import { begin } from './handMadeLog.ts';
import { children, forkFakeChildren, newRun, supervise, withCheckpoint } from './fakeChildren.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, temporaryFolder } from './scriptedRun.ts';

vi.mock('node:child_process', async (original) => ({ ...(await original<object>()), fork: vi.fn() }));

forkFakeChildren();

describe('an attack', () => {
  const attacked = () => {
    const made = supervise();
    const folder = createScriptedRun(scriptedPlan('steps'), made.runsFolder).folder;
    const checkpoints = [4, 6, 8].flatMap((step) => withCheckpoint(folder, step));
    begin(folder, 0, { status: 'finished' });
    begin(folder, 1, { status: 'finished', change: { checkpoints } });
    made.supervisor.refresh();
    made.heard();
    return { ...made, folder, id: path.basename(folder) };
  };

  it('is of the last checkpoint, or of the one that is named, if it is there', () => {
    const { supervisor, id, folder } = attacked();
    expect(() => supervisor.evaluate(id, 'step-5.safetensors', scriptedEvaluation)).toThrow(
      `Run ${id} has no checkpoint step-5.safetensors.`,
    );
    expect(supervisor.evaluate(id, null, scriptedEvaluation, '/data').status).toBe('queued');
    children[0]!.say({ type: 'ready' });
    expect(children[0]!.told).toEqual([
      {
        type: 'begin',
        folder,
        work: {
          ...{ type: 'evaluate', incarnation: 2, checkpoint: 'step-8.safetensors', evaluation: scriptedEvaluation },
          dataFolder: '/data',
        },
      },
    ]);
    expect(() => supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation)).toThrow(
      `Run ${id} is queued and can't be evaluated: it is at work.`,
    );
  });

  it('needs a checkpoint', () => {
    const { supervisor } = supervise();
    const { id } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    expect(() => supervisor.evaluate(id, null, scriptedEvaluation)).toThrow(
      `Run ${id} has no checkpoint to evaluate. Train it first.`,
    );
  });

  it('that dies leaves the run as it was, and says what to do', async () => {
    const { supervisor, id, folder } = attacked();
    supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation);
    begin(folder, 2, {
      status: 'evaluating',
      restStatus: 'finished',
      owner: { ...thisProcess(), pid: children[0]!.pid!, pidStart: '1' },
    });
    children[0]!.tellOf(folder, { status: 'evaluating' });
    await children[0]!.end(null, 'SIGKILL');
    expect(supervisor.get(id)).toMatchObject({
      status: 'finished',
      message: 'The trainer process was ended by SIGKILL. Go on with the attack.',
      incarnation: 3,
    });
  });

  it('that could not begin leaves the run as it was, with what its disk said', async () => {
    const { supervisor, id } = attacked();
    supervisor.evaluate(id, 'step-4.safetensors', scriptedEvaluation);
    children[0]!.say({ type: 'refused', message: 'The disk is full.' });
    await children[0]!.end(1);
    expect(supervisor.get(id)).toMatchObject({ status: 'finished', message: 'The disk is full.', incarnation: 2 });
  });

  it('that waits and is stopped leaves nothing behind', () => {
    const { supervisor, id, folder, heard } = attacked();
    supervisor.start(newRun);
    supervisor.evaluate(id, null, scriptedEvaluation);
    heard();
    expect(supervisor.stop(id).status).toBe('finished');
    expect(heard()).toEqual([`${id} finished`]);
    expect(newestLog(folder)).toBe(1);
    expect(() => supervisor.stop(id)).toThrow(`Run ${id} is finished and can't be stopped: it is not at work here.`);
  });
});

describe('a run at rest', () => {
  it('is resumed in its next log, unless nothing is left to do', async () => {
    const { supervisor } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.work(folder, 'training');
    children[0]!.say({ type: 'ended', summary: { ...glance(folder).summary, status: 'stopped' } });
    await children[0]!.end(0);
    expect(supervisor.resume(id, '/data').status).toBe('queued');
    children[1]!.say({ type: 'ready' });
    expect(children[1]!.told).toEqual([
      { type: 'begin', folder, work: { type: 'train', incarnation: 1, dataFolder: '/data' } },
    ]);
    children[1]!.work(folder, 'training');
    children[1]!.say({ type: 'ended', summary: { ...glance(folder).summary, status: 'finished' } });
    await children[1]!.end(0);
    expect(supervisor.get(id).status).toBe('finished');
    begin(folder, 2, { status: 'finished' });
    expect(() => supervisor.resume(id)).toThrow(
      `Run ${id} is finished and can't be resumed: there is nothing left to do.`,
    );
  });

  it('is deleted, and told to be; one that is not there is unknown', () => {
    const { supervisor, heard, runsFolder } = supervise();
    const { id, folder } = supervisor.start(newRun);
    expect(() => {
      supervisor.delete(id);
    }).toThrow(`Run ${id} is queued and can't be deleted: it is at work; stop it first.`);
    children[0]!.emit('close', null, null);
    heard();
    supervisor.delete(id);
    expect(heard()).toEqual([`${id} deleted`]);
    expect(fs.existsSync(folder)).toBe(false);
    expect(supervisor.list()).toEqual([]);
    expect(heard()).toEqual([]);
    expect(() => supervisor.get(id)).toThrow(`There is no run ${id} in ${runsFolder}.`);
  });

  it('on which work begins as it is deleted is not', () => {
    const { supervisor } = supervise();
    const { id, folder } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    const { openSync } = fs;
    const next = logFile(folder, newestLog(folder) + 1);
    vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
      if (file === next && typeof mode === 'number' && !fs.existsSync(file)) {
        vi.restoreAllMocks();
        begin(folder, newestLog(folder) + 1, { status: 'training' });
      }
      return openSync(file, flags, mode);
    });
    expect(() => {
      supervisor.delete(id);
    }).toThrow(`Run ${id} is training and can't be deleted: work on it has just begun.`);
    expect(fs.existsSync(originFile(folder))).toBe(true);
  });

  it('that can not be deleted is still there', () => {
    const { supervisor, heard } = supervise();
    const { id } = supervisor.start(newRun);
    children[0]!.emit('close', null, null);
    heard();
    vi.spyOn(fs, 'rmSync').mockImplementation(() => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    });
    expect(() => {
      supervisor.delete(id);
    }).toThrow(/permission denied/);
    expect(supervisor.get(id).id).toBe(id);
    expect(heard()).not.toContain(`${id} deleted`);
  });
});

describe('the runs of a folder', () => {
  it('are known from the beginning', () => {
    const { folder, id } = createScriptedRun(scriptedPlan('steps'));
    expect(supervise(path.dirname(folder)).supervisor.get(id)).toMatchObject({ id, status: 'waiting', revision: 1 });
  });

  it('are listed newest first, and by name where they are of one moment', () => {
    const { supervisor, runsFolder, heard } = supervise();
    const ids = [1, 2, 3].map((seed) => createScriptedRun(scriptedPlan('steps', { seed }), runsFolder).id);
    const older = createScriptedRun(scriptedPlan('diverges'), runsFolder);
    const origin = JSON.parse(fs.readFileSync(originFile(older.folder), 'utf8')) as object;
    fs.writeFileSync(originFile(older.folder), JSON.stringify({ ...origin, createdMs: 5 }));
    expect(supervisor.list().map(({ id }) => id)).toEqual([...ids.toReversed(), older.id]);
    expect(heard()).toEqual([older.id, ...ids].map((id) => `${id} waiting`));
    supervisor.refresh();
    expect(heard()).toEqual([]);
  });

  it('come and go, but for those at work here', async () => {
    const { supervisor, runsFolder, heard } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const working = supervisor.start(newRun);
    const waiting = supervisor.start(newRun);
    heard();
    supervisor.refresh();
    expect(heard()).toEqual([`${id} waiting`]);
    fs.rmSync(folder, { recursive: true });
    // A trainer that is about to begin has written nothing yet; nobody else knows better.
    begin(working.folder, 0, { status: 'training' });
    fs.renameSync(originFile(waiting.folder), `${originFile(waiting.folder)}.away`);
    expect(supervisor.list().map((run) => run.id)).toEqual([waiting.id, working.id].sort().reverse());
    expect(heard()).toEqual([`${id} deleted`]);
    expect(supervisor.get(working.id).status).toBe('queued');
    expect(() => supervisor.resume(id)).toThrow('There is no run');
    fs.renameSync(`${originFile(waiting.folder)}.away`, originFile(waiting.folder));
    await children[0]!.end(0);
  });

  it('are gone for whoever asks for one whose folder has just been removed', () => {
    const { supervisor, runsFolder, heard } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    supervisor.refresh();
    heard();
    fs.rmSync(folder, { recursive: true });
    expect(() => supervisor.resume(id)).toThrow(`There is no run ${id}`);
    expect(heard()).toEqual([`${id} deleted`]);
  });

  it('that are damaged are listed with why, which is logged once', () => {
    const { supervisor, runsFolder, heard, log } = supervise();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    supervisor.refresh();
    fs.writeFileSync(originFile(folder), '{');
    begin0(folder);
    supervisor.refresh();
    expect(supervisor.get(id)).toMatchObject({
      status: 'damaged',
      message: expect.stringContaining('is not JSON') as string,
    });
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(new RegExp(`^${folder}: .*origin\\.json is damaged`));
    fs.appendFileSync(logFile(folder, 0), 'x');
    supervisor.refresh();
    expect(log).toHaveLength(1);
    expect(heard()).toEqual(
      [`${id} waiting`, `${id} cut`, `${id} damaged`, `${id} damaged`].filter((each) => !each.endsWith('cut')),
    );
    expect(() => supervisor.resume(id)).toThrow(
      `Run ${id} is damaged and can't be resumed: there is nothing left to do.`,
    );
  });

  it('at work elsewhere are followed: by what they write, and by their heartbeat', () => {
    let clockMs = 0;
    const { supervisor, runsFolder, heard } = supervise(temporaryFolder(), { watch: new LifeWatch(() => clockMs) });
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const rests = createScriptedRun(scriptedPlan('diverges'), runsFolder);
    const owner = { ...thisProcess(), boot: 'another', host: 'gpu-7', pid: 7, job: 'slurm 3' };
    begin(folder, 0, { status: 'training', owner });
    supervisor.refresh();
    heard();
    const place = 'it is at work elsewhere: process 7 on gpu-7, slurm 3';
    expect(() => supervisor.stop(id)).toThrow(
      `${place}; whether it still lives will be known within a minute and a half.`,
    );
    fs.appendFileSync(beatFile(folder, 0), '.');
    clockMs += 5000;
    // Of one that rests only a look at all tells.
    begin(rests.folder, 0, { status: 'stopped' });
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} training`]);
    expect(() => supervisor.pause(id)).toThrow(`${place}.`);
    expect(() => supervisor.resume(id)).toThrow(`Run ${id} is training and can't be resumed: ${place}.`);
    for (let look = 0; look < 9; look++) {
      supervisor.followOthers();
      expect(heard()).toEqual([]);
      clockMs += 10_000;
    }
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} interrupted`]);
    begin(folder, 1, { status: 'training' });
    supervisor.refresh();
    expect(heard().sort()).toEqual([`${id} cut`, `${id} training`, `${rests.id} cut`, `${rests.id} stopped`].sort());
    fs.rmSync(folder, { recursive: true });
    supervisor.followOthers();
    expect(heard()).toEqual([`${id} deleted`]);
  });
});

describe('a supervisor that ends', () => {
  it('has its trainer end with a checkpoint, and lets what waits wait', async () => {
    const { supervisor, heard } = supervise();
    const working = supervisor.start(newRun);
    const waiting = supervisor.start(newRun);
    children[0]!.work(working.folder, 'training');
    heard();
    let isClosed = false;
    const closed = supervisor.close('The server ends.').then(() => (isClosed = true));
    expect(heard()).toEqual([`${waiting.id} waiting`]);
    expect(children[0]!.told).toEqual([{ type: 'interrupt', message: 'The server ends.' }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    children[0]!.say({ type: 'ended', summary: { ...glance(working.folder).summary, status: 'interrupted' } });
    await children[0]!.end(0);
    await closed;
    expect(supervisor.get(working.id).status).toBe('interrupted');
    // Nothing begins any more.
    supervisor.start(newRun);
    expect(children).toHaveLength(1);
    expect(newestLog(waiting.folder)).toBe(-1);
  });

  it('has nothing to wait for where nothing is at work', async () => {
    const { supervisor } = supervise();
    await supervisor.close('The server ends.');
    expect(supervisor.isBusy).toBe(false);
  });
});

/** A log of which nothing can be seen. */
function begin0(folder: string): void {
  fs.writeFileSync(logFile(folder, 0), '');
  expect(readHead(folder, 0)).toBeNull();
}

describe('runs that are listed', () => {
  it('are looked at one at a time: others have their turn between, and one that is deleted meanwhile is none', async () => {
    const { supervisor, runsFolder } = supervise();
    const folders = [1, 2, 3, 4].map((seed) => createScriptedRun(scriptedPlan('steps', { seed }), runsFolder).folder);
    const last = folders.sort().at(-1)!;
    let nTurns = 0;
    const turn = () => {
      nTurns++;
      if (nTurns === 1) fs.rmSync(last, { recursive: true });
      waiting = setImmediate(turn);
    };
    let waiting = setImmediate(turn);
    const listed = await supervisor.listInTurns();
    clearImmediate(waiting);
    expect(nTurns).toBeGreaterThanOrEqual(3);
    expect(listed.map(({ folder, status }) => [folder, status])).toEqual(
      folders
        .slice(0, 3)
        .reverse()
        .map((folder) => [folder, 'waiting']),
    );
    expect(listed).toEqual(supervisor.list());
  });
});
