// A runs folder on a disk that is mounted read-only, by the system's own tools in a namespace of mounts of its own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requestErrorCodes } from '../../server/protocol/errors.ts';
import { readLock } from '../../server/rpc/lockFile.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { readRows, trainScripted } from '../run/scriptedRun.ts';
import { inDataFolder } from './dataFolder.ts';
import { TestClient } from './testClient.ts';

const inNamespace = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--kill-child'];
const readOnly = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" "$2" "$1"';
const mayMount = spawnSync('unshare', [...inNamespace, 'sh', '-c', readOnly, 'true', import.meta.dirname]).status === 0;
if (!mayMount) console.log('Not run: a read-only disk needs unshare, mount and the right to use them.');

describe.runIf(mayMount)('a runs folder on a read-only disk', () => {
  it('is served: its runs are shown with all their rows and checkpoints, and what would write says why it does not', async () => {
    inDataFolder();
    const { folder } = await trainScripted(scriptedPlan('steps'));
    const runsFolder = path.dirname(folder);
    const before = fs.readdirSync(runsFolder, { recursive: true });
    const main = path.join(import.meta.dirname, 'scriptedServerMain.ts');
    const server = spawn('unshare', [...inNamespace, 'sh', '-c', readOnly, process.execPath, runsFolder, main], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    onTestFinished(() => {
      server.kill('SIGKILL');
    });
    await once(server, 'message');
    const client = await TestClient.connect(readLock(runsFolder)!);

    const { runs } = await client.request('run/list', {});
    expect(runs).toMatchObject([{ status: 'finished', step: 12, message: null }]);
    const { id } = runs[0]!;
    const { cursor, steps } = await client.request('run/snapshot', { runId: id });
    expect([cursor, steps.step.length]).toEqual([readRows(folder).length, 12]);
    const checkpoint = path.join(folder, 'checkpoints', runs[0]!.checkpoints[0]!.file);
    expect((await client.request('checkpoint/inspect', { file: checkpoint })).tensors.length).toBeGreaterThan(0);

    for (const [method, params] of [
      ['run/start', { text: 'steps', file: null }],
      ['run/delete', { runId: id }],
    ] as const) {
      expect(await client.failure(method, params)).toMatchObject({
        code: requestErrorCodes.storageFailed,
        message: expect.stringContaining('its disk is read-only') as string,
      });
    }
    expect((await client.request('run/list', {})).runs).toMatchObject([{ id, status: 'finished' }]);
    expect(fs.readdirSync(runsFolder, { recursive: true })).toEqual(before);
  });
});
