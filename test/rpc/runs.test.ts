// Runs over the wire, from start to end, with real processes and a scripted trainer.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { applyRow, emptySnapshot } from '../../server/protocol/snapshot.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { begin } from '../run/handMadeLog.ts';
import { createScriptedRun, readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { scriptedEvaluation, scriptedPlan } from '../run/scriptedTrainer.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

async function connect(runsFolder = temporaryFolder()): Promise<TestClient> {
  const server = await startScriptedServer(runsFolder);
  return TestClient.connect(server.lock);
}

async function start(client: TestClient, text: string) {
  const { runs } = await client.request('run/start', { text, file: null });
  return runs[0]!;
}

describe('a run over the wire', () => {
  it('is queued, trained and finished, and its rows reach a subscriber exactly once and in order', async () => {
    const client = await connect();
    const run = await start(client, 'steps');
    expect(run).toMatchObject({ status: 'queued', name: 'steps', seed: 0, description: 'steps', device: null });
    await client.request('run/subscribe', { runId: run.id, cursor: 0 });
    const end = await client.untilStatus(run.id, 'finished');
    expect(end).toMatchObject({ step: 12, steps: 12, device: 'scripted', message: null });
    const written = readRows(run.folder);
    await client.until(() => client.rows(run.id).length >= written.length);
    expect(client.rows(run.id)).toEqual(written);
  });

  it('gives a snapshot that equals the fold of its rows, NaN included', async () => {
    const client = await connect();
    const { id, folder } = await start(client, 'steps');
    const run = await client.untilStatus(id, 'finished');
    const snapshot = await client.request('run/snapshot', { runId: id });
    const fold = emptySnapshot(run, scriptedPlan('steps'));
    for (const row of readRows(folder)) applyRow(fold, row);
    expect(snapshot).toEqual({ ...fold, run: snapshot.run });
    expect(snapshot.steps.loss[2]).toBeNaN();
    expect(snapshot.norms.gradients[0]).toEqual(Float32Array.of(Infinity));
  });

  it('is compared by its settings and series, a damaged one by what is known of it', async () => {
    const runsFolder = temporaryFolder();
    const client = await connect(runsFolder);
    const { id, folder } = await start(client, 'steps');
    await client.untilStatus(id, 'finished');
    const broken = createScriptedRun(scriptedPlan('steps', { seed: 7 }), runsFolder);
    const query = { runIds: [id], tags: ['loss'], pixels: 50 };
    const { runs } = await client.request('run/series', query);
    const losses = readRows(folder).flatMap(({ record }) => (record.type === 'step' ? [record.loss] : []));
    expect([...runs[0]!.tables[0]!.series[0]!.first]).toEqual(losses);
    await client.request('run/list', {});
    fs.writeFileSync(path.join(broken.folder, 'origin.json'), 'nonsense');
    const known = await client.request('run/list', {});
    expect(known.runs.map((run) => run.id)).toContain(broken.id);
    const { settings } = await client.request('run/settings', { runIds: [id, broken.id] });
    expect(settings).toEqual([{ seed: 0 }, null]);
  });

  it('holds nobody up, however long it is, while its snapshot is made', async () => {
    const runsFolder = temporaryFolder();
    const { id, folder } = createScriptedRun(scriptedPlan('steps'), runsFolder);
    // Six pages of a megabyte.
    const rows = Array.from({ length: 6 }, (_, index) => {
      const record = { type: 'shapes', step: index, alphas: [new Float32Array(262_144)] } as const;
      return encodeFrame('rows', [{ seq: index + 1, timeMs: 0, step: index, record }]);
    });
    begin(folder, 0, { status: 'finished', further: rows });
    const client = await connect(runsFolder);
    const answered: string[] = [];
    await Promise.all([
      client.request('run/snapshot', { runId: id }).then(() => answered.push('snapshot')),
      client.request('run/list', {}).then(() => answered.push('list')),
    ]);
    expect(answered).toEqual(['list', 'snapshot']);
  });

  it('replays from a cursor for a client that comes back', async () => {
    const client = await connect();
    const { id, folder } = await start(client, 'steps');
    await client.untilStatus(id, 'finished');
    const written = readRows(folder);
    await client.request('run/subscribe', { runId: id, cursor: 10 });
    await client.until(() => client.rows(id).length >= written.length - 10);
    expect(client.rows(id)).toEqual(written.slice(10));
  });

  // How often it tells progress is held by subscriptions.test.ts, on a clock that the test turns.
  it('tells progress as the run goes on, and no more after it is unsubscribed', async () => {
    const client = await connect();
    const { id } = await start(client, 'endless');
    await client.request('run/subscribe', { runId: id, cursor: 0 });
    const progressed = () => client.heard.filter(({ method }) => method === 'run/progressed');
    await client.until(() => progressed().length >= 6);
    await client.request('run/unsubscribe', { runId: id });
    const before = progressed().length;
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped');
    expect(progressed()).toHaveLength(before);
  });

  it('pauses, goes on, and stops with a checkpoint', async () => {
    const client = await connect();
    const { id } = await start(client, 'endless');
    await client.untilStep(id, 5);
    await client.request('run/pause', { runId: id });
    const paused = await client.untilStatus(id, 'paused');
    const { run } = await client.request('run/snapshot', { runId: id });
    expect(run.step).toBe(paused.step);
    const since = client.heard.length;
    await client.request('run/resume', { runId: id });
    await client.untilStatus(id, 'training', since);
    await client.request('run/stop', { runId: id });
    const end = await client.untilStatus(id, 'stopped');
    expect(end.checkpoints.at(-1)?.step).toBe(end.step);
  });

  it('trains one run after another, in order', async () => {
    const client = await connect();
    const { runs } = await client.request('run/start', { text: 'endless steps steps', file: null });
    const [first, second, third] = runs.map(({ id }) => id) as [string, string, string];
    await client.untilStep(first, 3);
    const listed = (await client.request('run/list', {})).runs;
    expect(Object.fromEntries(listed.map(({ id, status }) => [id, status]))).toEqual({
      [first]: 'training',
      [second]: 'queued',
      [third]: 'queued',
    });
    await client.request('run/stop', { runId: third });
    await client.untilStatus(third, 'stopped');
    await client.request('run/stop', { runId: first });
    await client.untilStatus(second, 'finished');
    const statuses = client.heard.flatMap((heard) =>
      heard.method === 'run/changed' ? [`${heard.params.run.id} ${heard.params.run.status}`] : [],
    );
    expect(statuses.indexOf(`${first} stopped`)).toBeLessThan(statuses.indexOf(`${second} preparing`));
    expect(statuses).not.toContain(`${third} preparing`);
  });

  it('resumes a stopped run from its checkpoint', async () => {
    const client = await connect();
    const { id } = await start(client, 'endless');
    await client.untilStep(id, 5);
    await client.request('run/stop', { runId: id });
    const stopped = await client.untilStatus(id, 'stopped');
    const since = client.heard.length;
    expect(await client.request('run/resume', { runId: id })).toMatchObject({ step: stopped.step });
    await client.untilStatus(id, 'training', since);
    await client.untilStep(id, stopped.step + 3);
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped', since);
    const steps = readRows(stopped.folder).flatMap(({ record }) => (record.type === 'step' ? [record.step] : []));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
  });

  it('is marked, which all clients hear; gives its plan as an experiment; and another trains on from its checkpoint', async () => {
    const client = await connect();
    const { id } = await start(client, 'steps');
    await client.untilStatus(id, 'finished');
    expect(await client.request('run/mark', { runId: id, mark: { title: 'mine' } })).toMatchObject({
      mark: { title: 'mine' },
    });
    const { runs } = await client.request('run/list', {});
    expect(runs[0]?.mark).toEqual({ title: 'mine' });
    const planned = await client.request('run/experiment', { runId: id });
    const halved = await client.request('run/experiment', { runId: id, factor: 0.5 });
    const ratesOf = ({ text }: { text: string }) =>
      compileExperiment(text, { file: null, homeFolder: '/' }).plans[0]?.training.schedule;
    expect([planned.name, ratesOf(planned), ratesOf(halved)]).toEqual([
      'steps',
      { type: 'constant', learningRate: 0.1 },
      { type: 'constant', learningRate: 0.05 },
    ]);
    const forked = await client.request('run/fork', { runId: id, checkpoint: 'step-4.safetensors' });
    expect(forked).toMatchObject({ status: 'queued', step: 4 });
    const end = await client.untilStatus(forked.id, 'finished');
    expect([end.step, end.mark]).toEqual([12, undefined]);
    await expect(client.request('run/fork', { runId: id, checkpoint: '../x' })).rejects.toThrow(/has no checkpoint/);
  });

  it('is evaluated at rest, and the evaluation can be stopped', async () => {
    const client = await connect();
    const { id, folder } = await start(client, 'steps');
    await client.untilStatus(id, 'finished');
    let since = client.heard.length;
    await client.request('evaluation/start', { runId: id, checkpoint: null, evaluation: scriptedEvaluation });
    const end = await client.untilStatus(id, 'finished', since);
    expect(end).toMatchObject({ robustAccuracy: 0.2 });
    since = client.heard.length;
    await client.request('evaluation/start', {
      runId: id,
      checkpoint: 'step-4.safetensors',
      evaluation: scriptedEvaluation,
    });
    await client.untilStatus(id, 'finished', since);
    const started = readRows(folder).flatMap(({ record }) => (record.type === 'evaluationStarted' ? [record] : []));
    expect(started.map(({ evaluation, step }) => [evaluation, step])).toEqual([
      [1, 12],
      [2, 4],
    ]);
    expect(
      (await client.request('checkpoint/inspect', { file: path.join(folder, 'checkpoints/step-4.safetensors') })).origin
        ?.step,
    ).toBe(4);
  });

  it('is deleted with its folder once it rests, and every client hears of it', async () => {
    const runsFolder = temporaryFolder();
    const server = await startScriptedServer(runsFolder);
    const client = await TestClient.connect(server.lock);
    const other = await TestClient.connect(server.lock);
    const { id, folder } = await start(client, 'endless');
    await client.untilStep(id, 2);
    const refusal = await client.failure('run/delete', { runId: id });
    expect(refusal).toMatchObject({ code: 1003, data: { fault: 'request', isRetryable: true } });
    expect(refusal.message).toContain('it is at work; stop it first');
    await client.request('run/snapshot', { runId: id });
    await client.request('run/stop', { runId: id });
    await client.untilStatus(id, 'stopped');
    await client.request('run/delete', { runId: id });
    await other.until(() => other.heard.some((heard) => heard.method === 'run/changed' && heard.params.isDeleted));
    expect(fs.existsSync(folder)).toBe(false);
    expect((await client.request('run/list', {})).runs).toEqual([]);
    expect(await client.failure('run/snapshot', { runId: id })).toMatchObject({ code: 1002 });
  });

  it('of a bad experiment is not made; the error carries every issue', async () => {
    const client = await connect();
    const error = await client.failure('run/start', { text: 'bad', file: null });
    expect(error).toMatchObject({ code: 1001, message: 'a: expected b, got c — Write b.', data: { fault: 'request' } });
    expect(error.data?.issues).toHaveLength(1);
    expect((await client.request('run/list', {})).runs).toEqual([]);
  });

  it('that fails or diverges says why', async () => {
    const client = await connect();
    const failed = await start(client, 'missing-data');
    expect((await client.untilStatus(failed.id, 'failed')).message).toBe('There is no data. Download it first.');
    const diverged = await start(client, 'diverges');
    expect((await client.untilStatus(diverged.id, 'diverged')).message).toContain('Lower the learning rate');
  });
});
