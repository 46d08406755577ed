// Type-checks each runtime with its own tsconfig, so that no DOM reaches the server and no Node reaches a webview.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const projects = [
  'server/formula',
  'server/protocol',
  'server/network',
  'server/health',
  'server',
  'extension',
  'webview',
  'test',
];
const chosen = process.argv.slice(2);

let hasFailed = false;
for (const project of chosen.length > 0 ? chosen : projects) {
  const tsc = spawn(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = await once(tsc, 'exit');
  if (code !== 0) hasFailed = true;
}
process.exitCode = hasFailed ? 1 : 0;
