// A server with few file handles, of which clients take all: it does less for a while, lives, and serves again when some are free.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { protocolVersion } from '../../server/protocol/messages.ts';
import { readLock } from '../../server/rpc/lockFile.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { newestLog, readHead } from '../../server/run/logFile.ts';
import { readRows, temporaryFolder } from '../run/scriptedRun.ts';
import { TestClient } from './testClient.ts';

const nHandles = 64;
const hello = { protocolVersion, client: 'test' };

/** A server with scripted trainers that may have so many files and sockets open at once. */
async function serve(runsFolder: string): Promise<{ process: ChildProcess; lock: Lock }> {
  const file = path.join(import.meta.dirname, 'scriptedServerMain.ts');
  const args = ['-c', `ulimit -n ${String(nHandles)} && exec "$@"`, 'sh', process.execPath, file, runsFolder];
  const server = spawn('sh', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  await once(server, 'message');
  return { process: server, lock: readLock(runsFolder)! };
}

/** Clients, until the server has no handle left for another one. */
async function takeAllHandles(lock: Lock): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (;;) {
    try {
      clients.push(await TestClient.connect(lock));
    } catch {
      return clients;
    }
  }
}

describe('a server that has no handle left', () => {
  it('refuses what needs one, lives, and serves again when some are free', async () => {
    const runsFolder = temporaryFolder();
    const { process: server, lock } = await serve(runsFolder);
    const client = await TestClient.connect(lock);
    const { runs } = await client.request('run/start', { text: 'endless', file: null });
    const { id, folder } = runs[0]!;
    await client.request('run/subscribe', { runId: id, cursor: 0 });
    await client.untilStep(id, 5);

    const crowd = await takeAllHandles(lock);
    expect(crowd.length).toBeGreaterThan(5);
    for (const [method, params] of [
      ['run/list', {}],
      ['run/snapshot', { runId: id }],
      ['run/start', { text: 'steps', file: null }],
      ['checkpoint/inspect', { file: path.join(folder, 'origin.json') }],
    ] as const) {
      expect((await client.failure(method, params)).message, method).toMatch(/file handles|EMFILE/);
    }
    // A run that could not be made has left nothing.
    const folders = fs.readdirSync(runsFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name)).toEqual([id]);
    // What it knows without the disk it still tells, and its run goes on.
    const step = Math.max(...client.heard.map((heard) => (heard.method === 'run/changed' ? heard.params.run.step : 0)));
    await client.untilStep(id, step + 100);
    // A trainer that dies now gives back what it held, and others want that at once.
    const died = client.untilStatus(id, 'interrupted');
    process.kill(readHead(folder, newestLog(folder))!.owner.pid, 'SIGKILL');
    crowd.push(...(await takeAllHandles(lock)));
    await died;
    crowd.push(...(await takeAllHandles(lock)));
    // Nor does it give up its folder because it can't look at its lock: it looks every two seconds.
    fs.rmSync(path.join(runsFolder, 'server.lock'));

    for (const { socket } of crowd) socket.terminate();
    while (readLock(runsFolder)?.token !== lock.token) await client.request('server/hello', hello);
    expect(server.exitCode).toBeNull();
    const since = client.heard.length;
    const next = await TestClient.connect(lock);
    const [run] = (await next.request('run/list', {})).runs;
    expect(run).toMatchObject({ id, status: 'interrupted' });
    await next.request('run/resume', { runId: id });
    await client.untilStatus(id, 'training', since);
    await next.untilStep(id, run!.step + 5);
    await next.request('run/stop', { runId: id });
    await next.untilStatus(id, 'stopped');
    // The subscriber of before got every row, those that could not be read for a while as well.
    const written = readRows(folder);
    await client.until(() => client.rows(id).at(-1)?.seq === written.at(-1)!.seq);
    const shown = new Set(client.rows(id).map(({ seq }) => seq));
    expect(written.filter(({ seq }) => !shown.has(seq))).toEqual([]);
  });
});
