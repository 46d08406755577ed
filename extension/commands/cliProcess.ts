// The command line as a process: what it writes with --json, line by line, and how it ended. Knows no `vscode`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

export interface CliCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface CliEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** Its own words, without the name that they begin with; empty where it said nothing. */
  readonly errors: string;
}

/** @param signal asks the process to end, which tidies up after itself; its end is waited for all the same */
export async function runCli<Event>(
  { file, args, env }: CliCommand,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: (event: Event) => void },
): Promise<CliEnd> {
  // Never in the workspace's folder.
  const child = spawn(file, args, { env, cwd: __dirname, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => {
    child.kill();
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    onEvent(JSON.parse(line) as Event);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', end);
  return { code, errors: errors.trim().replace(/^kafscope: /, '') };
}
