// Builds, and writes dist/kafscope-<version>.vsix. The package is the same for every platform for now; with `--target NAME`
// (linux-x64, darwin-arm64, …) the marketplace's target is set and named: dist/kafscope-<target>-<version>.vsix.
//   package.mjs [--target NAME] [--no-build]
import { createVSIX } from '@vscode/vsce';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { target: { type: 'string' }, 'no-build': { type: 'boolean' } } });
const { name, version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

if (!values['no-build']) {
  const build = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}

const packagePath = path.join(root, 'dist', [name, values.target, `${version}.vsix`].filter(Boolean).join('-'));
await createVSIX({
  cwd: root,
  packagePath,
  // The bundles hold what they need; node_modules stays out.
  dependencies: false,
  ...(values.target ? { target: values.target } : {}),
});
