// Who owns a run: servers, terminals, containers and hosts that share one folder, and what each of them may do.
import { fork, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LifeWatch, patienceMs } from '../../server/run/lifeWatch.ts';
import { beatFile, logFile, newestLog, readHead } from '../../server/run/logFile.ts';
import { encodeFrame, frameAt } from '../../server/run/logFrames.ts';
import type { Frame } from '../../server/run/logFrames.ts';
import { RunSupervisor } from '../../server/run/runSupervisor.ts';
import type { SupervisorOptions } from '../../server/run/runSupervisor.ts';
import type { LogHead } from '../../server/run/stored.ts';
import type { FromTrainer, ToTrainer } from '../../server/run/trainerMessages.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import type { Script } from './scriptedTrainer.ts';
import {
  createScriptedRun,
  filesOf,
  goOn,
  killTrainerAt,
  readRows,
  startScriptedRun,
  temporaryFolder,
  trainScripted,
} from './scriptedRun.ts';

const trainerFile = path.join(import.meta.dirname, 'scriptedTrainerMain.ts');

function supervise(runsFolder: string, change: Partial<SupervisorOptions> = {}): RunSupervisor {
  const supervisor = new RunSupervisor({ runsFolder, trainerFile, log: () => {}, now: () => Date.now(), ...change });
  onTestFinished(() => supervisor.close('The test is over.'));
  return supervisor;
}

function newRun(script: Script) {
  const versions = { kafscope: '0.0.0-test', node: '24' };
  return {
    plan: scriptedPlan(script),
    description: 'scripted',
    experimentText: '',
    experimentFile: null,
    versions,
  };
}

/** Resolves once the run is told to be so. */
function until(supervisor: RunSupervisor, id: string, isSo: (run: { status: string; step: number }) => boolean) {
  return new Promise<void>((resolve) => {
    supervisor.events.on('changed', (run) => {
      if (run.id === id && isSo(run)) resolve();
    });
  });
}

/** At work in a process that no supervisor here has started; resolves once it has done that step. */
async function trainElsewhere(folder: string, step: number, command: readonly string[] = []): Promise<ChildProcess> {
  const [file, ...before] = [...command, process.execPath];
  const child = fork(trainerFile, [], {
    ...{ serialization: 'json', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    ...{ execPath: file!, execArgv: before },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', reject);
    child.on('message', (message: FromTrainer) => {
      if (message.type === 'ready') child.send({ type: 'begin', folder, work: goOn(folder) } satisfies ToTrainer);
      if (message.type === 'changed' && message.summary.step >= step) resolve();
    });
  });
  return child;
}

/** Makes the newest log one of another host, which only its heartbeat tells to live. */
function moveToAnotherHost(folder: string): void {
  const file = logFile(folder, newestLog(folder));
  const bytes = fs.readFileSync(file);
  const frame = frameAt(bytes, 0) as Frame;
  const head = frame.payload as LogHead;
  const owner = { ...head.owner, host: 'gpu-7', boot: 'another' };
  fs.writeFileSync(file, Buffer.concat([encodeFrame('head', { ...head, owner }), bytes.subarray(frame.end)]));
}

describe('a run at work in another process', () => {
  it('can be neither resumed, attacked, stopped nor deleted here, though it was listed as ended before', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    await killTrainerAt(folder, 25);
    const supervisor = supervise(runsFolder);
    expect(supervisor.get(id).status).toBe('interrupted');
    const child = await trainElsewhere(folder, 45);
    const refusals: [() => unknown, string][] = [
      [() => supervisor.resume(id), `can't be resumed: it is at work elsewhere: process ${String(child.pid)} on `],
      [() => supervisor.evaluate(id, null, scriptedEvaluation), "can't be evaluated: it is at work"],
      [() => supervisor.stop(id), "can't be stopped: it is at work elsewhere"],
      [() => supervisor.pause(id), "can't be paused: it is at work elsewhere"],
      [
        () => {
          supervisor.delete(id);
        },
        "can't be deleted: it is at work; stop it first",
      ],
    ];
    for (const [attempt, why] of refusals) expect(attempt).toThrow(why);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const steps = readRows(folder).flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(supervisor.list()[0]).toMatchObject({ id, status: 'interrupted' });
  });

  it('is resumed by one of two servers that are asked at once; the other follows it', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    await killTrainerAt(folder, 25);
    const [one, two] = [supervise(runsFolder), supervise(runsFolder)];
    const settled = [one, two].map((supervisor) =>
      until(supervisor, id, ({ status }) => ['training', 'preparing'].includes(status)),
    );
    one.resume(id);
    two.resume(id);
    await Promise.all(settled);
    while (newestLog(folder) < 1) await new Promise((resolve) => setImmediate(resolve));
    const owner = readHead(folder, 1)!.owner;
    expect(fs.existsSync(logFile(folder, 2))).toBe(false);
    for (const supervisor of [one, two]) expect(['preparing', 'training']).toContain(supervisor.list()[0]!.status);
    process.kill(owner.pid, 'SIGTERM');
    while (one.list()[0]!.status !== 'interrupted' || two.list()[0]!.status !== 'interrupted')
      await new Promise((resolve) => setImmediate(resolve));
    const steps = readRows(folder).flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
  });

  it('on another host lives as long as its heartbeat changes, and is interrupted once that stays away', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    await killTrainerAt(folder, 25);
    moveToAnotherHost(folder);
    const before = filesOf(folder);
    let nowMs = 0;
    const supervisor = supervise(runsFolder, { watch: new LifeWatch(() => nowMs) });
    expect(supervisor.get(id).status).toBe('training');
    expect(() => supervisor.resume(id)).toThrow(
      /at work elsewhere: process \d+ on gpu-7; whether it still lives will be known/,
    );
    for (let beat = 0; beat < 40; beat++) {
      nowMs += 5000;
      fs.appendFileSync(beatFile(folder, 0), '.');
      supervisor.followOthers();
    }
    expect(supervisor.get(id).status).toBe('training');
    for (let ms = 0; ms < patienceMs; ms += 5000) {
      expect(supervisor.get(id).status).toBe('training');
      nowMs += 5000;
      supervisor.followOthers();
    }
    expect(supervisor.get(id)).toMatchObject({ status: 'interrupted' });
    expect({ ...filesOf(folder), 'beat-0': '' }).toEqual({ ...before, 'beat-0': '' });
  });

  const mayUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
  if (!mayUnshare) console.log('Not run: a process id namespace of its own needs unshare and the right to use it.');

  it.runIf(mayUnshare)('in another process id namespace lives, though its process id is unknown here', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    const inContainer = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const child = await trainElsewhere(folder, 5, inContainer);
    expect(readHead(folder, 0)!.owner.pid).not.toBe(child.pid);
    const supervisor = supervise(runsFolder);
    expect(supervisor.get(id).status).toBe('training');
    expect(() => supervisor.resume(id)).toThrow(/at work elsewhere/);
    supervisor.followOthers();
    expect(supervisor.get(id).status).toBe('training');
    child.kill('SIGKILL');
  });
});

describe('a run that waits', () => {
  it('goes on waiting when its maker has gone, and whoever wants may begin it', async () => {
    const runsFolder = temporaryFolder();
    const { id, folder } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const supervisor = supervise(runsFolder);
    expect(supervisor.get(id)).toMatchObject({ status: 'waiting', message: null });
    const finished = until(supervisor, id, ({ status }) => status === 'finished');
    expect(supervisor.resume(id).status).toBe('queued');
    await finished;
    expect(readRows(folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 12 });
  });

  it('in the queue of a server that ends waits again, and nothing of it is written', async () => {
    const runsFolder = temporaryFolder();
    const supervisor = supervise(runsFolder);
    const first = supervisor.start(newRun('endless'));
    const second = supervisor.start(newRun('steps'));
    expect(second.status).toBe('queued');
    const before = filesOf(second.folder);
    await until(supervisor, first.id, ({ step }) => step > 1);
    await supervisor.close('The server ends.');
    expect(supervisor.get(second.id).status).toBe('waiting');
    expect(supervisor.get(first.id)).toMatchObject({ status: 'interrupted', message: 'The server ends.' });
    expect(filesOf(second.folder)).toEqual(before);
  });
});

describe('a run is its folder', () => {
  it('so a copy is another run, and deleting one leaves the other', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    await startScriptedRun(folder).ended;
    fs.cpSync(folder, path.join(runsFolder, 'backup of it'), { recursive: true });
    const supervisor = supervise(runsFolder);
    expect(supervisor.list().map((run) => run.id)).toEqual(['backup of it', id].sort().reverse());
    supervisor.delete('backup of it');
    expect(fs.readdirSync(runsFolder)).toEqual([id]);
    expect(supervisor.get(id).status).toBe('finished');
  });

  it('so a renamed one is told as gone and as come, once', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    await startScriptedRun(folder).ended;
    const supervisor = supervise(runsFolder);
    const told: string[] = [];
    supervisor.events.on('changed', (run) => told.push(run.id));
    supervisor.events.on('deleted', (run) => told.push(`not ${run.id}`));
    fs.renameSync(folder, path.join(runsFolder, 'my-best-run'));
    for (let look = 0; look < 3; look++) expect(supervisor.list().map((run) => run.id)).toEqual(['my-best-run']);
    expect(told).toEqual([`not ${id}`, 'my-best-run']);
  });
});

describe('what a server tells of a run', () => {
  it('does not depend on the clock of the day, which may be set back', async () => {
    const runsFolder = temporaryFolder();
    let nowMs = Date.now();
    const supervisor = supervise(runsFolder, { now: () => (nowMs -= 3_600_000) });
    const { id } = supervisor.start(newRun('steps'));
    const revisions: number[] = [];
    supervisor.events.on('changed', (run) => revisions.push(run.revision));
    await until(supervisor, id, ({ status }) => status === 'finished');
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(new Set(revisions).size).toBe(revisions.length);
    expect(supervisor.list()[0]!.status).toBe('finished');
  });

  it('of a trainer that died in an attack is the status of before, with why', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    const stopped = startScriptedRun(folder, goOn(folder), {
      onChange: (run) => {
        if (run.step === 25) stopped.control.stop();
      },
    });
    await stopped.ended;
    const supervisor = supervise(runsFolder);
    const evaluating = until(supervisor, id, ({ status }) => status === 'evaluating');
    supervisor.evaluate(id, null, scriptedEvaluation);
    await evaluating;
    const over = until(supervisor, id, ({ status }) => status === 'stopped');
    process.kill(readHead(folder, 1)!.owner.pid, 'SIGKILL');
    await over;
    expect(supervisor.get(id).message).toMatch(/^The trainer process was ended by SIGKILL\. Go on with the attack\./);
    expect(supervise(runsFolder).get(id)).toMatchObject({ status: 'stopped', message: supervisor.get(id).message });
  });

  it('of a finished run stays so with runs of many kinds around it', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const runsFolder = temporaryFolder();
    fs.symlinkSync(folder, path.join(runsFolder, 'linked'));
    fs.symlinkSync(path.join(runsFolder, 'nowhere'), path.join(runsFolder, 'dangling'));
    fs.mkdirSync(path.join(runsFolder, 'empty'));
    fs.mkdirSync(path.join(runsFolder, 'broken'));
    fs.writeFileSync(path.join(runsFolder, 'broken', 'origin.json'), '{');
    const supervisor = supervise(runsFolder);
    const statuses = Object.fromEntries(supervisor.list().map((run) => [run.id, run.status]));
    expect(statuses).toEqual({ linked: 'finished', broken: 'damaged' });
    expect(supervisor.get('broken').message).toMatch(/origin\.json is damaged: it is not JSON/);
  });
});
