// A sweep over the wire, with real processes and a scripted trainer: its runs are told as they go, and it ends with the server.
import { expect, it } from 'vitest';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { listRunFolders } from '../../server/run/runFolder.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { startScriptedServer } from './scriptedServer.ts';
import { TestClient } from './testClient.ts';

it('a sweep is started, its runs are told of, and what they have on the disk', async () => {
  const server = await startScriptedServer(temporaryFolder());
  const client = await TestClient.connect(server.lock);
  const asked = { text: 'steps steps', file: '/project/a.kaf.yaml' };
  const sweep = await client.request('sweep/start', asked);
  expect(sweep).toMatchObject({ id: 'scripted', status: 'working' });
  expect(sweep.cells.map(({ name }) => name)).toEqual(['seed 0', 'seed 1']);
  const finished = () =>
    client.heard.flatMap((heard) =>
      heard.method === 'run/changed' && heard.params.run.status === 'finished' ? [heard.params.run.seed] : [],
    );
  await client.until(() => new Set(finished()).size === 2);
  const { sweeps } = await client.request('sweep/list', {});
  expect(sweeps.map(({ cells }) => cells.map(({ status }) => status))).toEqual([['finished', 'finished']]);
  expect((await client.request('sweep/size', { sweepId: 'scripted' })).bytes).toBeGreaterThan(0);
  expect(await client.failure('sweep/size', { sweepId: 'other' })).toMatchObject({
    message: 'There is no sweep other.',
  });
  expect((await client.failure('sweep/start', { text: 'bad', file: null })).data?.issues).toHaveLength(1);
});

it('a server that ends leaves the runs of its sweep with a checkpoint, to go on from', async () => {
  const runsFolder = temporaryFolder();
  const server = await startScriptedServer(runsFolder);
  const client = await TestClient.connect(server.lock);
  const { folder } = await client.request('sweep/start', { text: 'endless', file: '/project/a.kaf.yaml' });
  const isTraining = () =>
    client.heard.some((heard) => heard.method === 'run/changed' && heard.params.run.status === 'training');
  await client.until(isTraining);
  await server.close('the test ends it');
  const { summary } = sweepState(folder, new LifeWatch());
  expect(summary).toMatchObject({ status: 'resting', cells: [{ status: 'interrupted' }] });
  expect(summary.cells[0]!.message).toBe(
    'The server ended (the test ends it). Start the sweep again to go on from the last checkpoints.',
  );
  expect(listRunFolders(runsFolder)).toHaveLength(1);
});
