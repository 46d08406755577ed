// An extension host without a window, for tests that kill it: finds or starts the server and comes back to it by the extension's own code,
// follows a run as its dashboard does, and says to its parent what it would show.
import path from 'node:path';
import { ServerConnection } from '../../extension/connection/serverConnection.ts';
import { endServer } from '../../extension/connection/endServer.ts';
import { readServerLock } from '../../extension/connection/serverLock.ts';
import { startServerProcess } from '../../extension/connection/serverProcess.ts';
import type { Row } from '../../server/protocol/records.ts';

export type FromHost = { readonly type: 'connected' } | { readonly type: 'rows'; readonly rows: readonly Row[] };

const [runsFolder, serverFolder] = process.argv.slice(2) as [string, string];
const serverModule = path.join(import.meta.dirname, '../../dist/server.cjs');
const isTrusted = true;
const never = 2 ** 31 - 1;

function say(message: FromHost): void {
  process.send?.(message);
}

const connection = new ServerConnection({
  client: 'a host that is killed',
  readLock: () => readServerLock(runsFolder, { isTrusted }),
  startServer: (signal) =>
    startServerProcess({
      ...{ serverModule, runsFolder, isTrusted, signal, variables: {} },
      ...{ logFile: path.join(serverFolder, 'server.log'), workingFolder: serverFolder },
    }),
  endServer,
  retryDelaysMs: Array.from({ length: 1000 }, () => 50),
  handshakeTimeoutMs: never,
  patience: { slowMs: never, tellSlow: () => () => undefined },
  log: () => undefined,
});
connection.onDidChangeState(({ status }) => {
  if (status === 'connected') say({ type: 'connected' });
});
process.on('message', (runId: string) => {
  connection.subscribe(runId, 0, (rows) => {
    say({ type: 'rows', rows });
  });
});
process.once('disconnect', () => {
  process.exit();
});
await connection.connect();
