// The PyTorch to compare with: a virtual environment of the benchmark's own, made on demand and never by `npm test`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '../../node_modules/.cache/kafscope-bench-torch');
const python = path.join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const packages = ['torch==2.15.0', 'numpy', 'torchattacks==3.5.1', 'adversarial-robustness-toolbox==1.20.1'];

/** The environment's Python; undefined where it has not been made. */
export function findTorch(): string | undefined {
  return fs.existsSync(path.join(folder, 'complete')) ? python : undefined;
}

/** Makes the environment: several gigabytes, minutes. @throws Error where Python or pip fails. */
export function setUpTorch(): string {
  const found = findTorch();
  if (found) return found;
  fs.rmSync(folder, { recursive: true, force: true });
  run(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]);
  run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', ...packages]);
  fs.writeFileSync(path.join(folder, 'complete'), `${packages.join('\n')}\n`);
  return python;
}

function run(command: string, args: readonly string[]): void {
  // What pip says is no part of the benchmark's document on standard output.
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error });
}
