// Entry of `dist/server.cjs --runs <absolute folder> [--look]`: serves that folder until nobody needs it any more; with `--look`, as for
// a folder that is not trusted, it only shows its runs.
// Exit codes: 0 ended, 1 failed, 2 bad usage, 3 another server has the folder and answers.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FolderTakenError } from './rpc/lockFile.ts';
import { plainText } from './protocol/plainText.ts';
import { schedulerVariable } from './protocol/userData.ts';
import { startServer } from './rpc/server.ts';
import { makeServices } from './rpc/services.ts';
import { whyNotHere } from './sweep/batch/loginNode.ts';
import { ignoreDebuggerSignal, wantingMore } from './run/processSignals.ts';

declare const __KAFSCOPE_VERSION__: string;

/** Where nothing is computed on this host, nothing of ours stays when the windows have gone. */
const idleMs = { usual: 60_000, submitting: 5_000 };

ignoreDebuggerSignal();
void main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, look: { type: 'boolean' } },
    strict: false,
  });
  const runsFolder = values.runs;
  if (typeof runsFolder !== 'string' || !path.isAbsolute(runsFolder)) {
    log('usage: server.cjs --runs <absolute path of the runs folder>');
    process.exitCode = 2;
    return;
  }
  // Whoever started this server may be gone; its pipes then break, which is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const schedulerSettings = settingsIn(process.env[schedulerVariable]);
  try {
    const server = await startServer({
      runsFolder,
      version: __KAFSCOPE_VERSION__,
      trainerFile: path.join(__dirname, 'trainer.cjs'),
      services: makeServices({ assetsFolder: __dirname, log }),
      isLooking: values.look === true,
      idleMs: whyNotHere({ given: schedulerSettings }) === null ? idleMs.usual : idleMs.submitting,
      schedulerSettings,
      log,
    });
    for (const signal of ['SIGINT', 'SIGTERM', wantingMore] as const) {
      process.once(signal, () => void server.close(`the server was ended by ${signal}`));
    }
    // Our bug: the trainers still save their runs, and whoever needs the server starts another.
    process.on('uncaughtException', (error) => {
      log(error.stack ?? error.message);
      process.exitCode = 1;
      void server.close(`it failed (${error.message})`);
    });
    process.stdout.write(`${JSON.stringify({ type: 'listening', pid: process.pid, port: server.lock.port })}\n`);
    await server.closed;
    process.exit();
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof FolderTakenError && !error.isSilent ? 3 : 1;
  }
}

/** From the extension, which knows whose settings they are. */
function settingsIn(text: string | undefined): Readonly<Record<string, unknown>> {
  const settings: unknown = text ? JSON.parse(text) : {};
  return typeof settings === 'object' && settings !== null ? (settings as Readonly<Record<string, unknown>>) : {};
}

function log(line: string): void {
  process.stderr.write(`${plainText(line)}\n`);
}
