// Compiles a runtime's Node addons with the machine's C or C++ compiler into dist/<runtime>/<platform>-<architecture>/.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Does nothing when the addons are newer than their sources; where there is no compiler, they are left out and the runtime says so.
 * @param {string} root the project's folder
 * @param {{runtime: string, library: string, sources: string[], includes: string[],
 *   targets: {name: string, language: 'c' | 'c++', files: string[]}[]}} addons
 *   `sources` are absolute paths, all that the addons depend on; `includes` and the targets' `files` are relative to the root.
 * @throws Error with the compiler's own words
 */
export function compileAddons(root, { runtime, library, sources, includes, targets }) {
  const folder = path.join(root, 'dist', runtime, `${process.platform}-${process.arch}`);
  const newestMs = Math.max(...[...sources, fileURLToPath(import.meta.url)].map((file) => fs.statSync(file).mtimeMs));
  const isNew = (file) => fs.existsSync(file) && fs.statSync(file).mtimeMs > newestMs;
  if (targets.every(({ name }) => isNew(path.join(folder, name)))) return;
  const compilers = targets.map(({ language }) => findCompiler(language));
  if (compilers.includes(undefined)) {
    console.warn(
      `The binding to ${library} is not built, and the runtime ${runtime} will not work: no C++ compiler (g++ or clang++) was found.`,
    );
    return;
  }
  fs.mkdirSync(folder, { recursive: true });
  for (const [i, { name, language, files }] of targets.entries()) {
    const compiler = compilers[i];
    const partial = path.join(folder, `${name}.${process.pid}`);
    const flags = [
      ...['-O2', '-fPIC', '-shared', '-x', language, ...(language === 'c++' ? ['-std=c++17'] : [])],
      ...['-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
      ...['node_modules/node-api-headers/include', ...includes].flatMap((place) => ['-I', place]),
      // A library's symbols are found when the addon is loaded; Node's are in its executable.
      ...(process.platform === 'darwin'
        ? ['-undefined', 'dynamic_lookup']
        : language === 'c++'
          ? ['-static-libstdc++', '-static-libgcc']
          : []),
    ];
    const compiled = spawnSync(compiler, [...flags, ...files, '-o', partial], { cwd: root, encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(`${compiler} could not compile ${name}:\n${compiled.stderr}`);
    // Renamed only when whole: tests and builds may run beside each other.
    fs.renameSync(partial, path.join(folder, name));
  }
}

/** Not on Windows: no library that is bound to has a C interface there. */
function findCompiler(language) {
  if (process.platform === 'win32') return undefined;
  const candidates = language === 'c' ? [process.env.CC, 'gcc', 'clang', 'cc'] : [process.env.CXX, 'g++', 'clang++'];
  return candidates.filter(Boolean).find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}
