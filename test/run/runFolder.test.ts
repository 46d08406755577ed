// Run folders: their names, their making, and what of them is found again.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkpointsFolder, deleteRun, listRunFolders, originFile, readOrigin } from '../../server/run/runFolder.ts';
import { newestLog, readHead } from '../../server/run/logFile.ts';
import { glance } from '../../server/run/runGlance.ts';
import { runIds } from '../../server/run/runId.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, filesOf, readRows, temporaryFolder, trainScripted } from './scriptedRun.ts';

const timeMs = Date.UTC(2026, 10, 23, 3, 45, 1);

describe('the name of a run', () => {
  it('tells time, experiment and seed, and fits the protocol and every file system', () => {
    const first = (name: string, seed: number) => runIds(name, seed, timeMs).next().value as string;
    expect(first('kaf-light', 0)).toBe('20261123-034501-kaf-light-s0');
    for (const name of ['Käf / light: ε=8', '', '...', 'x'.repeat(300), '日本']) {
      expect(first(name, 7)).toMatch(/^20261123-034501-[a-z0-9-]{1,60}-s7$/);
    }
  });

  it('is made of the letters that there are, and of no more than sixty', () => {
    const first = (name: string) => runIds(name, 0, timeMs).next().value as string;
    expect(first('Café')).toBe('20261123-034501-cafe-s0');
    expect(first('日本')).toBe('20261123-034501-run-s0');
    expect(first(`a${'x'.repeat(100)}`)).toBe(`20261123-034501-a${'x'.repeat(59)}-s0`);
  });

  it('is never taken twice', () => {
    const runsFolder = temporaryFolder();
    const ids = [1, 2, 3].map(() => createScriptedRun(scriptedPlan('steps'), runsFolder).id);
    expect(ids).toEqual(['20261123-034501-steps-s0', '20261123-034501-steps-s0-2', '20261123-034501-steps-s0-3']);
    expect(listRunFolders(runsFolder)).toEqual(ids.map((id) => path.join(runsFolder, id)));
  });
});

describe('a run folder', () => {
  it('holds the plan, the experiment and the versions as they were given', () => {
    const plan = scriptedPlan('steps');
    const { folder, id } = createScriptedRun(plan);
    expect(readOrigin(folder)).toEqual({
      id,
      plan,
      createdMs: timeMs,
      description: 'scripted',
      experimentText: 'name: scripted',
      experimentFile: null,
      versions: { kafscope: '0.0.0-test', node: '24' },
    });
    expect(glance(folder).summary).toMatchObject({
      id,
      status: 'waiting',
      step: 0,
      steps: 12,
      folder,
      incarnation: -1,
    });
    expect(readRows(folder)).toEqual([]);
    expect(fs.readdirSync(folder).sort()).toEqual(['checkpoints', 'origin.json']);
  });

  it('is made with the folder of runs, and is as a list shows it', () => {
    const runsFolder = path.join(temporaryFolder(), 'a', 'b');
    const plan = scriptedPlan('steps');
    const made = createScriptedRun(
      { ...plan, dataset: { ...plan.dataset, trainSamples: 41 } as typeof plan.dataset },
      runsFolder,
    );
    expect(made).toMatchObject({ steps: 15, step: 0, epoch: 0, epochs: 3, incarnation: -1, revision: 0 });
    expect(glance(made.folder).summary).toEqual(made);
  });

  it('is on the disk, with its name, and readable for everybody, once it is made', () => {
    const umask = process.umask(0);
    const runsFolder = temporaryFolder();
    const synced: number[] = [];
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => synced.push(fs.fstatSync(descriptor).ino));
    const opened = vi.spyOn(fs, 'openSync');
    const closed = vi.spyOn(fs, 'closeSync');
    onTestFinished(() => {
      process.umask(umask);
      vi.restoreAllMocks();
    });
    const { folder } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    const file = originFile(folder);
    expect(synced).toEqual([fs.statSync(file).ino, fs.statSync(folder).ino]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o644);
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length);
    const text = fs.readFileSync(file, 'utf8');
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 1)}\n`);
  });

  it('has one origin: that of the older form counts only where there is no other', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    fs.writeFileSync(path.join(folder, 'run.db'), 'no database');
    expect(readOrigin(folder).plan.name).toBe('steps');
    expect(() => readOrigin(temporaryFolder())).toThrow(/origin\.json/);
    fs.rmSync(originFile(folder));
    expect(() => readOrigin(folder)).toThrow(/run\.db.*file is not a database/);
  });

  it('gets another name where the one that it would have is taken in the same moment', () => {
    const runsFolder = temporaryFolder();
    fs.mkdirSync(path.join(runsFolder, '20261123-034501-steps-s0'));
    fs.writeFileSync(path.join(runsFolder, '20261123-034501-steps-s0-2'), 'a file');
    expect(createScriptedRun(scriptedPlan('steps'), runsFolder).id).toBe('20261123-034501-steps-s0-3');
  });

  it('is not found where there is none', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'empty'));
    fs.writeFileSync(path.join(folder, 'run.db'), '');
    expect(listRunFolders(folder)).toEqual([]);
    expect(listRunFolders(path.join(folder, 'nowhere'))).toEqual([]);
  });

  it('is found behind a link, and under the name that it has now', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const runsFolder = temporaryFolder();
    fs.symlinkSync(folder, path.join(runsFolder, 'linked run'));
    fs.cpSync(folder, path.join(runsFolder, 'backup'), { recursive: true });
    const found = listRunFolders(runsFolder);
    expect(found.map((one) => path.basename(one))).toEqual(['backup', 'linked run']);
    expect(found.map((one) => glance(one).summary)).toMatchObject([
      { id: 'backup', status: 'finished', folder: path.join(runsFolder, 'backup') },
      { id: 'linked run', status: 'finished' },
    ]);
  });

  it('that can not be made says why', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'runs'), 'a file');
    expect(() => createScriptedRun(scriptedPlan('steps'), path.join(folder, 'runs'))).toThrow(/runs.*(EEXIST|ENOTDIR)/);
  });

  it.each(['openSync', 'fsyncSync', 'renameSync', 'mkdirSync'] as const)(
    'that can not be made because of %s leaves nothing, and needs no file handle for that',
    (call) => {
      const runsFolder = temporaryFolder();
      const real = fs[call] as (...args: unknown[]) => unknown;
      onTestFinished(() => {
        vi.restoreAllMocks();
      });
      vi.spyOn(fs, call).mockImplementation(((...args: unknown[]) => {
        // The folders of all runs and of this one are there: what comes next fails, and all that needs a handle.
        if (call === 'mkdirSync' && !String(args[0]).endsWith('checkpoints')) return real(...args);
        for (const each of ['openSync', 'opendirSync', 'readdirSync'] as const)
          if (each !== call)
            vi.spyOn(fs, each).mockImplementation(() => {
              throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
            });
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      }) as never);
      expect(() => createScriptedRun(scriptedPlan('steps'), runsFolder)).toThrow(
        `The run was not made. ${runsFolder} can't be opened: this process has no file handles left. Raise the limit (ulimit -n), then try again.`,
      );
      vi.restoreAllMocks();
      expect(fs.readdirSync(runsFolder)).toEqual([]);
    },
  );

  it('that can not be made for want of space is not told to be resumed', () => {
    const runsFolder = temporaryFolder();
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    vi.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    expect(() => createScriptedRun(scriptedPlan('steps'), runsFolder)).toThrow(
      `The run was not made. The disk is full: ${runsFolder} can't be written. Free some space, then try again.`,
    );
    vi.restoreAllMocks();
    expect(fs.readdirSync(runsFolder)).toEqual([]);
  });

  it('with an origin of a newer Kafscope, of another program, or damaged is refused with what to do', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    const file = originFile(folder);
    const origin = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    const refusal = (text: string) => {
      fs.writeFileSync(file, text);
      return () => glance(folder);
    };
    expect(refusal(JSON.stringify({ ...origin, version: 2 }))).toThrow(/written by a newer Kafscope \(version 2\)/);
    expect(refusal(JSON.stringify({ ...origin, format: 'x' }))).toThrow(/is not of a run of Kafscope/);
    expect(refusal(JSON.stringify({ ...origin, plan: 7 }))).toThrow(/origin\.json is damaged: plan/);
    expect(refusal('{"format"')).toThrow(/origin\.json is damaged: it is not JSON/);
  });
});

describe('deleting a run', () => {
  it('removes what Kafscope made, and the folder where nothing else is in it', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    deleteRun(folder, 1);
    expect(fs.existsSync(folder)).toBe(false);
    const { folder: other } = await trainScripted(scriptedPlan('steps'));
    fs.writeFileSync(path.join(other, 'notes.md'), 'mine');
    fs.writeFileSync(path.join(checkpointsFolder(other), 'best.safetensors'), 'mine');
    deleteRun(other, 1);
    expect(fs.readdirSync(other, { recursive: true }).sort()).toEqual([
      'checkpoints',
      'checkpoints/best.safetensors',
      'notes.md',
    ]);
  });

  it('ends with what makes it a run, so that a deletion that is cut off can be done again', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    for (const name of ['run.db', 'run.db-wal', 'beat-7', 'origin.json.tmp', 'events.out.tfevents.1'])
      fs.writeFileSync(path.join(folder, name), '');
    const newest = newestLog(folder);
    const removed: string[] = [];
    const claims: unknown[] = [];
    const { readdirSync, rmSync } = fs;
    // Names that go at the same moment, and in an order that helps nobody.
    const ghosts = ['beat-9', 'step-99.safetensors'];
    vi.spyOn(fs, 'readdirSync').mockImplementation(((where: string) =>
      [...readdirSync(where), ...ghosts].sort().reverse()) as unknown as typeof fs.readdirSync);
    vi.spyOn(fs, 'rmSync').mockImplementation((file, options) => {
      if (removed.length === 0) claims.push(readHead(folder, newest + 1));
      removed.push(path.basename(String(file)));
      rmSync(file, options);
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    deleteRun(folder, 7);
    expect(fs.existsSync(folder)).toBe(false);
    expect(claims).toMatchObject([
      { number: newest + 1, work: 'note', startedMs: 7, firstSeq: 1, voids: null, restStatus: 'stopped' },
    ]);
    const logs = removed.filter((name) => name.startsWith('log-'));
    expect(logs).toHaveLength(newest + 2);
    expect(removed.slice(-2 - logs.length)).toEqual([...logs, 'run.db', 'origin.json']);
    expect(removed).toContain('run.db-wal');
    expect(removed).toContain('step-99.safetensors');
  });

  it('needs no folder of checkpoints', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    fs.rmdirSync(checkpointsFolder(folder));
    deleteRun(folder, 1);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it('says what else is wrong', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    vi.spyOn(fs, 'rmdirSync').mockImplementation(() => {
      throw Object.assign(new Error('busy'), { code: 'EBUSY' });
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    expect(() => {
      deleteRun(folder, 1);
    }).toThrow(/busy/);
  });

  it('of a link removes the link, and follows none inside', async () => {
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const before = filesOf(folder);
    const link = path.join(temporaryFolder(), 'link');
    fs.symlinkSync(folder, link);
    deleteRun(link, 1);
    expect(fs.existsSync(link)).toBe(false);
    expect(filesOf(folder)).toEqual(before);
    const elsewhere = temporaryFolder();
    fs.writeFileSync(path.join(elsewhere, 'step-1.safetensors'), 'of somebody');
    fs.rmSync(checkpointsFolder(folder), { recursive: true });
    fs.symlinkSync(elsewhere, checkpointsFolder(folder));
    deleteRun(folder, 1);
    expect(fs.readdirSync(elsewhere)).toEqual(['step-1.safetensors']);
  });
});
