// The command line's installer as a process: what it writes becomes steps and an end. Knows no `vscode`.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runCli, type CliCommand } from './cliProcess.ts';

export interface InstallStep {
  /** For example `tensorflow-cpu 2.21.0, downloading: 120 of 274 MB`. */
  readonly message: string;
  /** Of the whole, in [0, 1]; never less than before. */
  readonly share: number;
}

export interface Installed {
  readonly name: string;
  readonly version: string;
  /** For example `TensorFlow 2.21.0 · CPU`. */
  readonly device: string;
}

type InstallerEvent =
  | { readonly type: 'install'; readonly name: string; readonly version: string }
  | { readonly type: 'progress'; readonly stage: Stage; readonly doneBytes: number; readonly totalBytes: number }
  | ({ readonly type: 'done'; readonly fault: string | null } & Installed);

/** In order, with what a stage is called and its share of the time. */
const stages = {
  download: { name: 'downloading', from: 0, share: 0.75 },
  check: { name: 'checking', from: 0.75, share: 0.05 },
  unpack: { name: 'unpacking', from: 0.8, share: 0.2 },
} as const;
type Stage = keyof typeof stages;

/**
 * @param signal asks the installer to leave nothing behind
 * @returns null where it was asked to end
 * @throws Error with the installer's own words
 */
export async function runInstaller(
  command: CliCommand,
  { signal, onStep }: { readonly signal: AbortSignal; readonly onStep: (step: InstallStep) => void },
): Promise<Installed | null> {
  let title = '';
  let share = 0;
  const found: Installed[] = [];
  const onEvent = (event: InstallerEvent): void => {
    if (event.type === 'install') title = `${event.name} ${event.version}, `;
    else if (event.type === 'done') found.push(event);
    else {
      const stage = stages[event.stage];
      share = Math.max(share, stage.from + (stage.share * event.doneBytes) / event.totalBytes);
      const bytes = `${megabytes(event.doneBytes)} of ${megabytes(event.totalBytes)} MB`;
      onStep({ message: `${title}${stage.name}: ${bytes}`, share });
    }
  };
  const { code, errors } = await runCli(command, { signal, onEvent });
  if (signal.aborted) return null;
  const [installed] = found;
  if (code === 0 && installed) return installed;
  throw new Error(errors || `the installer ended with code ${String(code)}`);
}

/** The first whose pip answers, or the other one. @param signal ends the search, and the program that is asked */
export async function pythonWithPip(
  candidates: readonly string[],
  { other, signal }: { readonly other: string; readonly signal: AbortSignal },
): Promise<string> {
  for (const python of candidates) {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
    }, pipTimeoutMs);
    try {
      const either = AbortSignal.any([signal, late.signal]);
      // "python -m" runs what the folder has that it runs in: never the workspace's.
      await promisify(execFile)(python, ['-m', 'pip', '--version'], { signal: either, cwd: __dirname });
      return python;
    } catch {
      if (signal.aborted) break;
      // The next may have one.
    } finally {
      clearTimeout(timer);
    }
  }
  return other;
}

/** Of one that hangs. From a cold network disk pip takes a quarter of a minute. */
const pipTimeoutMs = 60_000;

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
