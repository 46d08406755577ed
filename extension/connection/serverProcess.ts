// Starts the server as a process of its own, which outlives the window, and waits for its lock file.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerLock } from './serverLock.ts';
import { readServerLock } from './serverLock.ts';

export interface ServerProcessOptions {
  /** Absolute path of `server.cjs`. */
  readonly serverModule: string;
  readonly runsFolder: string;
  /** A folder of ours, in which it runs: nothing of the workspace's is found by a relative path. */
  readonly workingFolder: string;
  /** Where its output goes, in a folder of ours; appended to, begun anew when it has grown past 1 MiB. */
  readonly logFile: string;
  /** Ends it while it does not listen yet. How long it takes until then is the machine's and the disk's affair. */
  readonly signal: AbortSignal;
  /** Where the workspace is not trusted the server only shows runs, and writes nothing into their folder. */
  readonly isTrusted: boolean;
  /** Environment variables besides VS Code's own. */
  readonly variables: Readonly<Record<string, string>>;
}

const lockPollMs = 50;
const maxLogBytes = 1024 * 1024;
/** The server's exit status where another one already owns the folder and answers. */
const alreadyServed = 3;

/**
 * Starts a server and resolves with its lock, or with the lock of another server that was faster.
 *
 * @throws Error with the end of its log, where it ends early; the signal's reason where that ends it.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerLock> {
  if (!fs.existsSync(options.serverModule)) {
    throw new Error(`The server is missing: ${options.serverModule}. Install Kafscope again.`);
  }
  fs.mkdirSync(path.dirname(options.logFile), { recursive: true });
  fs.mkdirSync(options.workingFolder, { recursive: true });
  const log = openLog(options.logFile);
  const logStart = fs.fstatSync(log).size;
  const previous = await readServerLock(options.runsFolder, options);

  const args = [options.serverModule, '--runs', options.runsFolder, ...(options.isTrusted ? [] : ['--look'])];
  // No pipe and no IPC channel: those would end with the window, and the server with them.
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: options.workingFolder,
    env: { ...nodeEnvironment(), ...options.variables },
    windowsHide: true,
  });
  fs.closeSync(log);
  const end: { code: number | null; reason: string | null } = { code: null, reason: null };
  child.once('error', (error) => {
    end.reason = error.message;
  });
  child.once('exit', (code, signal) => {
    end.code = code;
    end.reason = signal ? `signal ${signal}` : `status ${String(code)}`;
  });
  child.unref();

  for (;;) {
    const lock = await readServerLock(options.runsFolder, options);
    const isNew = lock !== null && (lock.pid === child.pid || lock.token !== previous?.token);
    if (isNew || (lock !== null && end.code === alreadyServed)) return lock;
    if (end.reason !== null)
      throw new Error(`The server ended with ${end.reason}. ${logEnd(options.logFile, logStart)}`);
    if (options.signal.aborted) {
      child.kill();
      options.signal.throwIfAborted();
    }
    await delay(lockPollMs);
  }
}

/** For VS Code's own Node, free of what the window passes to its own processes. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('VSCODE_'));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}

/** Follows no link, so that nobody has us write elsewhere, and is readable by the user alone. */
function openLog(file: string): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW = 0 } = fs.constants;
  const log = fs.openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  if (fs.fstatSync(log).size > maxLogBytes) fs.ftruncateSync(log);
  return log;
}

/** The last lines that the server wrote since it was started. */
function logEnd(logFile: string, start: number): string {
  const text = fs.readFileSync(logFile).subarray(start).toString('utf8').trim();
  return text.split('\n').slice(-3).join(' ');
}
