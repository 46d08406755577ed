// Commands that stand in for Slurm's: each writes down what it was given and writes what the test says that Slurm would.
import fs from 'node:fs';
import path from 'node:path';
import { makeSlurm } from '../../../server/sweep/batch/slurm.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';

/** Arguments end in a zero byte, calls in an empty argument more. */
const script = `#!/bin/sh
me=$(basename "$0")
here=$(dirname "$0")
for argument in "$@" ''; do printf '%s\\0' "$argument" >>"$here/$me.asked"; done
cat "$here/$me.errors" >&2 2>/dev/null
cat "$here/$me.says" 2>/dev/null
exit "$(cat "$here/$me.code" 2>/dev/null || echo 0)"
`;

export interface StandIn {
  readonly env: NodeJS.ProcessEnv;
  readonly slurm: ReturnType<typeof makeSlurm>;
  says(command: string, output: string): void;
  fails(command: string, errors: string): void;
  /** The calls so far, each as its arguments. */
  asked(command: string): string[][];
}

export function standIn(env: NodeJS.ProcessEnv = {}): StandIn {
  const folder = temporaryFolder();
  for (const command of ['sbatch', 'squeue', 'sacct', 'scancel', 'scontrol'])
    fs.writeFileSync(path.join(folder, command), script, { mode: 0o755 });
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
  };
  const all = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, XDG_CACHE_HOME: temporaryFolder(), ...env };
  return {
    env: all,
    slurm: makeSlurm({ env: all, user: 'ada' }),
    says: (command, output) => {
      write(`${command}.says`, output);
    },
    fails: (command, errors) => {
      write(`${command}.errors`, errors);
      write(`${command}.code`, '1');
    },
    asked: (command) => {
      const file = path.join(folder, `${command}.asked`);
      if (!fs.existsSync(file)) return [];
      const calls = fs.readFileSync(file, 'utf8').split('\0\0');
      return calls.slice(0, -1).map((call) => call.split('\0'));
    },
  };
}
