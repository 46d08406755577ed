// Servers whose trainers are scripted: in this process, or in one of their own that a test may kill.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { startServer } from '../../server/rpc/server.ts';
import type { RunningServer, ServerOptions } from '../../server/rpc/server.ts';
import type { Lock } from '../../server/rpc/lockFile.ts';
import { readLock } from '../../server/rpc/lockFile.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';

export async function startScriptedServer(
  runsFolder: string,
  change: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const server = await startServer({ ...scriptedServerOptions(runsFolder), ...change });
  onTestFinished(() => server.close('the test is over'));
  return server;
}

export async function forkScriptedServer(runsFolder: string): Promise<{ process: ChildProcess; lock: Lock }> {
  const file = path.join(import.meta.dirname, 'scriptedServerMain.ts');
  const server = fork(file, [runsFolder], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  await once(server, 'message');
  return { process: server, lock: readLock(runsFolder)! };
}
