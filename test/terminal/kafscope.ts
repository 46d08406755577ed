// Runs the built command line as a user does.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const script = path.join(import.meta.dirname, '../../scripts/kafscope.mjs');

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Settles when a line of the output matches. */
  untilLine(pattern: RegExp): Promise<void>;
}

interface StartOptions {
  readonly cwd: string;
  readonly script?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export function startKafscope(args: readonly string[], options: StartOptions): Started {
  const child = spawn(process.execPath, [options.script ?? script, ...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return {
    process: child,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, output, errors })),
    untilLine: async (pattern) => {
      while (!pattern.test(output)) {
        if (child.exitCode !== null) throw new Error(`ended before ${String(pattern)}: ${output}${errors}`);
        await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
      }
    },
  };
}

export function kafscope(args: readonly string[], options: StartOptions): Promise<Ended> {
  return startKafscope(args, options).ended;
}

export interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

export function jsonLines(output: string): Line[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
