// Runs its arguments on a Node that the project supports: this one if it is new enough, else the pinned one that npm installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const oldest = [22, 13];
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The path of a Node ≥ 22.13. @throws Error with what to do, where there is none. */
export function supportedNode({
  version = process.versions.node,
  platform = process.platform,
  arch = process.arch,
} = {}) {
  const [major, minor] = version.split('.').map(Number);
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const pinned = path.join(root, 'node_modules', name, platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (fs.existsSync(pinned)) return pinned;
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return process.execPath;
  const { optionalDependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const remedy = Object.hasOwn(optionalDependencies, name)
    ? 'Run "npm ci", which brings one, or install a newer one.'
    : 'Install a newer one, from nodejs.org or with a package manager.';
  throw new Error(`Kafscope needs Node ${oldest.join('.')} or newer, this is ${version}. ${remedy}`);
}

/** A child on that Node, in this terminal. @throws Error in a sentence, where there is none or it can't be started. */
export async function startNode(args) {
  const node = supportedNode();
  try {
    const child = spawn(node, args, { stdio: 'inherit' });
    await once(child, 'spawn');
    return child;
  } catch (cause) {
    const remedy = node === process.execPath ? '' : ' Run "npm ci" to install it again.';
    throw new Error(`${node} can't be started: ${cause.message}.${remedy}`, { cause });
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const child = await startNode(process.argv.slice(2));
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal ? 130 : 1);
    });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
