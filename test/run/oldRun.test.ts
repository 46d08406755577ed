// Runs of Kafscope 0.1: read as they are, never written, and gone on with in the new form.
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { checkpointsFolder, deleteRun, listRunFolders } from '../../server/run/runFolder.ts';
import { glance, judged } from '../../server/run/runGlance.ts';
import { OldRun } from '../../server/run/oldRun.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { makeOldRun } from './makeOldRun.ts';
import type { OldRow } from './makeOldRun.ts';
import { scriptedEvaluation, scriptedPlan } from './scriptedTrainer.ts';
import { everyRow, filesOf, goOn, readRows, startScriptedRun, temporaryFolder, trainScripted } from './scriptedRun.ts';

/** Cut off at step 7, with a checkpoint at 4: the rows of a new run up to there, in the old form. */
async function interruptedOldRun(): Promise<{ folder: string; whole: string }> {
  const { folder: whole } = await trainScripted(scriptedPlan('steps'));
  const rows: OldRow[] = [];
  const history = new RunHistory(whole);
  history.forEachRow(0, ({ seq, step, record }) => {
    if (step <= 7) rows.push({ seq, step, record });
  });
  history.close();
  const folder = makeOldRun(temporaryFolder(), { plan: scriptedPlan('steps'), rows, summary: {} });
  const file = 'step-4.safetensors';
  fs.copyFileSync(path.join(checkpointsFolder(whole), file), path.join(checkpointsFolder(folder), file));
  return { folder, whole };
}

function openFilesIn(folder: string): string[] {
  const open = fs.readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return []; // that by which the list was read
    }
  });
  return open.filter((file) => file.startsWith(folder));
}

describe('a run of version 0.1', () => {
  it('is listed and read as it is, and nothing of it is written', async () => {
    const { folder, whole } = await interruptedOldRun();
    const before = filesOf(folder);
    expect(listRunFolders(path.dirname(folder))).toEqual([folder]);
    const { summary } = judged(glance(folder), new LifeWatch());
    expect(summary).toMatchObject({ id: 'old-run', status: 'interrupted', step: 7, message: 'The server went away.' });
    expect(summary).toMatchObject({ incarnation: -1, checkpoints: [{ file: 'step-4.safetensors' }] });
    const rows = readRows(folder);
    expect(rows.map(({ record }) => record)).toEqual(
      readRows(whole)
        .map(({ record }) => record)
        .slice(0, rows.length),
    );
    const history = new RunHistory(folder);
    expect(history.lastSeq()).toBe(rows.length);
    expect(history.rows(3, { ...everyRow, maxRows: 2 }).map(({ seq }) => seq)).toEqual([4, 5]);
    history.close();
    expect(filesOf(folder)['run.db']).toEqual(before['run.db']);
  });

  it('is only read, also what its last writer left in a log of its own', async () => {
    const { folder: made } = await interruptedOldRun();
    const writer = new DatabaseSync(path.join(made, 'run.db'));
    writer.exec('PRAGMA journal_mode = WAL');
    writer.exec('UPDATE rows SET timeMs = timeMs + 1');
    const folder = path.join(temporaryFolder(), 'copy');
    fs.cpSync(made, folder, { recursive: true });
    writer.close();
    const before = filesOf(folder);
    expect(before['run.db-wal']).not.toBe('');
    expect(readRows(folder)[0]!.timeMs).toBe(11);
    glance(folder);
    const after = filesOf(folder);
    for (const name of ['run.db', 'run.db-wal']) expect(after[name], name).toBe(before[name]);
  });

  it('is read where the files beside it can not be made', async () => {
    const { folder } = await interruptedOldRun();
    for (const name of ['run.db-shm', 'run.db-wal']) fs.mkdirSync(path.join(folder, name));
    expect(glance(folder).summary).toMatchObject({ id: 'old-run', step: 7 });
    expect(readRows(folder).length).toBeGreaterThan(7);
  });

  it.each([8, 8 + (1 << 8), 14])('is read as one that nobody writes where SQLite says %i', async (errcode) => {
    const { folder } = await interruptedOldRun();
    const closed = vi.spyOn(DatabaseSync.prototype, 'close');
    vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementationOnce(() => {
      throw Object.assign(new Error('attempt to write a readonly database'), { errcode });
    });
    const old = new OldRun(folder);
    expect(closed).toHaveBeenCalledOnce(); // the one that could not be read
    vi.restoreAllMocks();
    expect(old.lastSeq()).toBeGreaterThan(0);
    old.close();
  });

  it('is not read where SQLite says anything else, and left closed', async () => {
    const { folder } = await interruptedOldRun();
    const closed = vi.spyOn(DatabaseSync.prototype, 'close');
    vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementationOnce(() => {
      throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
    });
    expect(() => new OldRun(folder)).toThrow('disk I/O error');
    expect(closed).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
  });

  it('of no rows has none', () => {
    const folder = makeOldRun(temporaryFolder(), { plan: scriptedPlan('steps'), rows: [], summary: {} });
    const history = new RunHistory(folder);
    expect(history.lastSeq()).toBe(0);
    history.close();
  });

  it.runIf(process.platform === 'linux')('is closed by whoever has looked at it', async () => {
    const { folder } = await interruptedOldRun();
    glance(folder);
    expect(openFilesIn(folder)).toEqual([]);
    for (const name of ['run.db-shm', 'run.db-wal']) {
      fs.rmSync(path.join(folder, name), { force: true });
      fs.mkdirSync(path.join(folder, name));
    }
    glance(folder);
    expect(openFilesIn(folder)).toEqual([]);
  });

  it('leaves no database open, and lives as long as its heartbeat changes', async () => {
    const { folder } = await interruptedOldRun();
    const closed = vi.spyOn(OldRun.prototype, 'close');
    onTestFinished(() => {
      closed.mockRestore();
    });
    // Its origin, and its state.
    expect(glance(folder).sign).toEqual({ incarnation: `${folder} -1`, value: '5000' });
    expect(closed).toHaveBeenCalledTimes(2);
  });

  it('goes on in the new form and equals one that was never cut off', async () => {
    const { folder, whole } = await interruptedOldRun();
    const before = filesOf(folder)['run.db'];
    expect(await startScriptedRun(folder, goOn(folder)).ended).toMatchObject({ status: 'finished', step: 12 });
    const records = (run: string) => readRows(run).map(({ record }) => record);
    expect(records(folder)).toEqual(records(whole));
    expect(filesOf(folder)['run.db']).toEqual(before);
    expect(glance(folder).summary).toMatchObject({ status: 'finished', incarnation: 0 });
  });

  it('keeps its rows when it is attacked, and is deleted whole', async () => {
    const { folder } = await interruptedOldRun();
    const before = readRows(folder);
    const checkpoint = 'step-4.safetensors';
    const work = { type: 'evaluate', incarnation: 0, checkpoint, evaluation: scriptedEvaluation } as const;
    expect(await startScriptedRun(folder, work).ended).toMatchObject({ status: 'interrupted', robustAccuracy: 0.2 });
    expect(readRows(folder).slice(0, before.length)).toEqual(before);
    deleteRun(folder, 1);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it('that names files outside its folder is shown as damaged, and nothing outside is touched', async () => {
    const runsFolder = temporaryFolder();
    const outside = path.join(runsFolder, 'x');
    fs.writeFileSync(outside, 'of somebody');
    const rows = [{ seq: 1, step: 9, record: { type: 'checkpointed', step: 9, epoch: 1, file: '../../x' } }];
    const folder = makeOldRun(runsFolder, { plan: scriptedPlan('steps'), rows, summary: { checkpoints: [] } });
    expect(() => readRows(folder)).toThrow(/row 1 is damaged/);
    await expect(startScriptedRun(folder, goOn(folder)).ended).rejects.toThrow(/row 1 is damaged/);
    const listed = { step: 4, epoch: 1, file: '../../x' };
    fs.rmSync(folder, { recursive: true });
    makeOldRun(runsFolder, { plan: scriptedPlan('steps'), rows: [], summary: { checkpoints: [listed] } });
    expect(() => glance(folder)).toThrow(/its state is damaged/);
    expect(fs.readFileSync(outside, 'utf8')).toBe('of somebody');
  });

  it('of a newer Kafscope, of another program, or damaged is refused with what to do', async () => {
    const { folder } = await interruptedOldRun();
    const file = path.join(folder, 'run.db');
    const change = (sql: string) => {
      const database = new DatabaseSync(file);
      database.exec(sql);
      database.close();
    };
    change('PRAGMA user_version = 2');
    expect(() => glance(folder)).toThrow(/written by a newer Kafscope \(schema 2\)\. Update Kafscope\./);
    change('PRAGMA application_id = 1');
    expect(() => glance(folder)).toThrow('is not a run of Kafscope');
    fs.writeFileSync(file, 'this is no database at all, but long enough to be read as one '.repeat(20));
    expect(() => glance(folder)).toThrow(/run\.db: file is not a database/);
  });
});
