// Runs its arguments on a Node that the project supports: this one if it is new enough, else the pinned one that npm installed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const oldest = [22, 13];
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The path of a Node ≥ 22.13. @throws Error with what to do, where there is none. */
export function supportedNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const executable = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const pinned = path.join(root, 'node_modules', `node-${platform}-${process.arch}`, executable);
  if (fs.existsSync(pinned)) return pinned;
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return process.execPath;
  throw new Error(
    `Kafscope needs Node ${oldest.join('.')} or newer, this is ${process.versions.node}. Run "npm ci" (it brings one), or install a newer Node from your system's packages.`,
  );
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const child = spawn(supportedNode(), process.argv.slice(2), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 130 : 1);
  });
}
