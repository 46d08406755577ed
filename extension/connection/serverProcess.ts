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
  /** Where its output goes; appended to, begun anew when it has grown past 1 MiB. */
  readonly logFile: string;
  readonly timeoutMs: number;
  /** Environment variables besides VS Code's own. */
  readonly variables: Readonly<Record<string, string>>;
}

const lockPollMs = 50;
const maxLogBytes = 1024 * 1024;
/** The server's exit status where another one already owns the folder. */
const alreadyServed = 3;

/**
 * Starts a server and resolves with its lock, or with the lock of another server that was faster.
 *
 * @throws Error with the end of its log, where it ends early or does not listen in time.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerLock> {
  if (!fs.existsSync(options.serverModule)) {
    throw new Error(`The server is missing: ${options.serverModule}. Install Kafscope again.`);
  }
  fs.mkdirSync(path.dirname(options.logFile), { recursive: true });
  const isLong = (fs.statSync(options.logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes;
  const log = fs.openSync(options.logFile, isLong ? 'w' : 'a');
  const logStart = fs.fstatSync(log).size;
  const previous = await readServerLock(options.runsFolder);

  // No pipe and no IPC channel: those would end with the window, and the server with them.
  const child = spawn(process.execPath, [options.serverModule, '--runs', options.runsFolder], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: options.runsFolder,
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

  for (const deadline = Date.now() + options.timeoutMs; Date.now() < deadline; await delay(lockPollMs)) {
    const lock = await readServerLock(options.runsFolder);
    const isNew = lock !== null && (lock.pid === child.pid || lock.token !== previous?.token);
    if (isNew || (lock !== null && end.code === alreadyServed)) return lock;
    if (end.reason !== null)
      throw new Error(`The server ended with ${end.reason}. ${logEnd(options.logFile, logStart)}`);
  }
  child.kill();
  throw new Error(
    `The server did not listen within ${options.timeoutMs / 1000} s. ${logEnd(options.logFile, logStart)}`,
  );
}

/** Ends the server of a lock and waits until it is gone. */
export async function endServerProcess(lock: ServerLock, options: { timeoutMs: number }): Promise<void> {
  if (!isAlive(lock.pid)) return;
  process.kill(lock.pid, 'SIGTERM');
  for (const deadline = Date.now() + options.timeoutMs; Date.now() < deadline; await delay(lockPollMs)) {
    if (!isAlive(lock.pid)) return;
  }
  throw new Error(`The server (process ${lock.pid}) did not end within ${options.timeoutMs / 1000} s.`);
}

/** For VS Code's own Node, free of what the window passes to its own processes. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('VSCODE_'));
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The last lines that the server wrote since it was started. */
function logEnd(logFile: string, start: number): string {
  const text = fs.readFileSync(logFile).subarray(start).toString('utf8').trim();
  return text.split('\n').slice(-3).join(' ');
}
