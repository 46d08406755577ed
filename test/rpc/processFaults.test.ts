// What goes wrong with processes: trainers that die, servers that are killed or come second.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isResumable } from '../../server/protocol/run.ts';
import { HeldLock, readLock } from '../../server/rpc/lockFile.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { beatFile, logFile, newestLog, readHead } from '../../server/run/logFile.ts';
import { createScriptedRun, filesOf, killTrainerAt, readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { forkScriptedServer, startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

describe('a trainer that dies', () => {
  it('leaves its run interrupted and resumable, and the server alive', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 25);
    process.kill(trainerPid(folder), 'SIGKILL');
    const dead = await client.untilStatus(id, 'interrupted');
    expect(dead.message).toMatch(
      /^The trainer process was ended by SIGKILL\. Resume the run to go on from its last checkpoint\./,
    );
    expect(isResumable(dead)).toBe(true);
    const before = readRows(folder);
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    await client.untilStatus(id, 'training', since);
    await client.untilStep(id, before.length + 20);
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped', since);
    const rows = readRows(folder);
    const cut = before.findLast(({ record }) => record.type === 'checkpointed')!.seq;
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(rows.slice(0, cut)).toEqual(before.slice(0, cut));
    expect(rows.slice(0, before.length).map(({ record }) => record)).toEqual(before.map(({ record }) => record));
  });

  it('because it is told to end, wanting more, saves its run first', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 5);
    process.kill(trainerPid(folder), 'SIGUSR2');
    const ended = await client.untilStatus(id, 'interrupted');
    expect(ended.message).toBe('The trainer was told to end. Resume the run to go on from its last checkpoint.');
    expect(ended.checkpoints.at(-1)?.step).toBe(ended.step);
  });

  it.each(['killed', 'stopped'] as const)('after its log was replaced by no log, %s, ends nobody', async (how) => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.request('run/subscribe', { runId: id, cursor: 0 });
    await client.untilStep(id, 5);
    const trainer = trainerPid(folder);
    fs.rmSync(logFile(folder, 0));
    fs.mkdirSync(logFile(folder, 0));
    if (how === 'killed') process.kill(trainer, 'SIGKILL');
    else await client.request('run/stop', { runId: id });
    const ended = await client.untilStatus(id, 'damaged');
    expect(ended.message).toContain('is no regular file');
    const next = await client.request('run/start', { text: 'steps', file: null });
    await client.untilStatus(next.runs[0]!.id, 'finished');
  });

  it('whose death could not be noted whole, as on a full disk, can be resumed at once', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 25);
    fs.writeFileSync(beatFile(folder, 1), 'in the way');
    process.kill(trainerPid(folder), 'SIGKILL');
    const dead = await client.untilStatus(id, 'interrupted');
    expect(dead.message).toContain('was ended by SIGKILL');
    expect(fs.statSync(logFile(folder, 1)).size).toBe(0);
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    const statuses = () =>
      client.heard.slice(since).flatMap((heard) => (heard.method === 'run/changed' ? [heard.params.run.status] : []));
    await client.until(() => statuses().some((status) => status === 'training' || status === 'interrupted'));
    expect(statuses()).not.toContain('interrupted');
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped');
    expect(newestLog(folder)).toBe(2);
  });

  it('loses no record that was made', async () => {
    const client = await TestClient.connect((await startScriptedServer(temporaryFolder())).lock);
    const { runs } = await client.request('run/start', { text: 'crashes', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStatus(id, 'interrupted');
    expect(readRows(folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 4 });
  });

  it('because it can not even start fails its run', async () => {
    const { lock } = await startScriptedServer(temporaryFolder(), {
      trainerFile: path.join(temporaryFolder(), 'trainer.cjs'),
    });
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'steps', file: null });
    const failed = await client.untilStatus(runs[0]!.id, 'failed');
    expect(failed.message).toMatch(/^The trainer process ended with code 1\. It had no checkpoint yet/);
  });
});

describe('a server', () => {
  it('is the only one of its folder', async () => {
    const runsFolder = temporaryFolder();
    const { lock } = await startScriptedServer(runsFolder);
    await expect(startScriptedServer(runsFolder)).rejects.toThrow(
      `The server with process id ${String(process.pid)} already serves ${runsFolder}.`,
    );
    expect(readLock(runsFolder)).toEqual(lock);
    await TestClient.connect(lock);
  });

  it('replaces the lock of one that is dead, of one that does not answer, and one that makes no sense', async () => {
    const runsFolder = temporaryFolder();
    const file = path.join(runsFolder, 'server.lock');
    const closed = http.createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    const dead = { pid: 2 ** 30, port, token: 'old', version: '0', startedMs: 0 };
    for (const text of [JSON.stringify(dead), JSON.stringify({ ...dead, pid: process.pid }), '{"pid": 12']) {
      fs.writeFileSync(file, text);
      const server = await startScriptedServer(runsFolder);
      expect(readLock(runsFolder)).toEqual(server.lock);
      await server.close('next');
      expect(fs.existsSync(file)).toBe(false);
    }
  });

  it('wins or loses a race for the lock, never both', async () => {
    const runsFolder = temporaryFolder();
    const locks = Array.from({ length: 4 }, (_, index) => ({
      pid: process.pid,
      port: 1,
      token: `t${String(index)}`,
      version: '0',
      startedMs: 0,
    }));
    fs.writeFileSync(path.join(runsFolder, 'server.lock'), JSON.stringify({ ...locks[0]!, token: 'stale' }));
    const ask = ({ token }: Lock) => Promise.resolve(token === 'stale' ? ('gone' as const) : ('answers' as const));
    const outcomes = await Promise.allSettled(locks.map((lock) => HeldLock.take(runsFolder, lock, ask)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(readLock(runsFolder)?.token).toBe(`t${String(winner)}`);
  });

  it('ends when no client and no work is left, not before', async () => {
    const runsFolder = temporaryFolder();
    const server = await startScriptedServer(runsFolder, { idleMs: 50 });
    const client = await TestClient.connect(server.lock);
    const { runs } = await client.request('run/start', { text: 'steps', file: null });
    client.socket.close();
    await server.closed;
    expect(readRows(runs[0]!.folder).at(-1)?.record).toMatchObject({ type: 'checkpointed', step: 12 });
    expect(readLock(runsFolder)).toBeNull();
  });

  it('that is killed leaves a trainer that saves its run, which the next server lists and resumes', async () => {
    const runsFolder = temporaryFolder();
    const first = await forkScriptedServer(runsFolder);
    const client = await TestClient.connect(first.lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.untilStep(id, 10);
    const trainer = trainerPid(folder);
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    // The next server is there before the trainer has ended: the two must not get in each other's way.
    const second = await forkScriptedServer(runsFolder);
    const next = await TestClient.connect(second.lock);
    const find = async () => (await next.request('run/list', {})).runs.find((run) => run.id === id)!;
    let run = await find();
    while (run.status === 'training') run = await find();
    expect(run.status).toBe('interrupted');
    expect(run.message).toContain('The server went away');
    expect(run.checkpoints.at(-1)?.step).toBe(run.step);
    expect(isResumable(run)).toBe(true);
    await untilGone(trainer);
    await next.request('run/resume', { runId: id });
    await next.untilStep(id, run.step + 3);
    expect(trainerPid(folder)).not.toBe(trainer);
  });

  it('that starts finds a run whose process was killed with its server, and calls it interrupted without writing anything', async () => {
    const runsFolder = temporaryFolder();
    const { folder, id } = createScriptedRun(scriptedPlan('endless'), runsFolder);
    await killTrainerAt(folder, 25);
    const before = filesOf(folder);
    fs.mkdirSync(path.join(runsFolder, 'damaged'));
    fs.writeFileSync(path.join(runsFolder, 'damaged', 'run.db'), 'no database');
    const after = await TestClient.connect((await startScriptedServer(runsFolder)).lock);
    const listed = (await after.request('run/list', {})).runs;
    expect(Object.fromEntries(listed.map((run) => [run.id, run.status]))).toEqual({
      [id]: 'interrupted',
      damaged: 'damaged',
    });
    const run = listed.find((one) => one.id === id)!;
    expect(run.message).toContain('Resume the run to go on from its last checkpoint');
    expect(listed.find((one) => one.id === 'damaged')!.message).toContain('file is not a database');
    await after.request('run/snapshot', { runId: id });
    expect(filesOf(folder)).toEqual(before);
    expect(await after.failure('run/resume', { runId: 'damaged' })).toMatchObject({ code: 1003 });
  });

  it('that is told to end lets its trainers save their runs first', async () => {
    const runsFolder = temporaryFolder();
    const { process: server, lock } = await forkScriptedServer(runsFolder);
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'endless steps', file: null });
    await client.untilStep(runs[0]!.id, 5);
    server.kill('SIGTERM');
    const [code] = (await once(server, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(readLock(runsFolder)).toBeNull();
    const after = await TestClient.connect((await startScriptedServer(runsFolder)).lock);
    const listed = (await after.request('run/list', {})).runs;
    // The second had not begun: nothing of it was interrupted.
    expect(listed.map(({ status }) => status)).toEqual(['waiting', 'interrupted']);
    const saved = listed.find(({ id }) => id === runs[0]!.id)!;
    expect(saved.checkpoints.at(-1)?.step).toBe(saved.step);
  });
});

function trainerPid(folder: string): number {
  return readHead(folder, newestLog(folder))!.owner.pid;
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // it is gone, as hoped
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
