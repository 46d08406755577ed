// Builds what the runtime `tensorflow` is made of into dist/tensorflow/: tfjs-node's TypeScript kernels as one file without an
// engine of its own, and its C++ binding for this platform. TensorFlow itself is not needed, only a C++ compiler; where there is
// none, the binding is left out and the runtime says so.
import esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const tfjsNode = 'node_modules/@tensorflow/tfjs-node-gpu';
const ownSources = 'server/tensor/tensorflow/binding';
const ownHeader = `${ownSources}/tensorflowApi.h`;

/** @param {string} root the project's folder @throws Error with esbuild's or the compiler's own words */
export async function buildTensorflow(root) {
  await bundleKernels(root);
  compileBinding(root);
}

/**
 * `dist/tensorflow/nodeKernels.cjs` exports a function of tfjs-core, as the caller has it, that registers the kernels of the
 * backend `tensorflow` with it and returns `{NodeJSKernelBackend}`. So there is one engine, in the bundles as in the tests.
 */
async function bundleKernels(root) {
  await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: `export {NodeJSKernelBackend} from './${tfjsNode}/src/nodejs_kernel_backend.ts';
        import './${tfjsNode}/src/register_all_kernels.ts';`,
      resolveDir: root,
    },
    outfile: 'dist/tensorflow/nodeKernels.cjs',
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'iife',
    globalName: 'nodeKernels',
    banner: { js: 'module.exports = function registerNodeKernels(tfjsCore) {' },
    footer: { js: 'return nodeKernels; };' },
    tsconfigRaw: '{}',
    logLevel: 'warning',
    plugins: [standIns],
  });
}

/** What stands in for three packages that tfjs-node imports. */
const standIns = {
  name: 'stand-ins',
  setup(build) {
    const contents = {
      '@tensorflow/tfjs': 'module.exports = tfjsCore;',
      '@tensorflow/tfjs-core': 'module.exports = tfjsCore;',
      // Node 23 took these two out of its `util`.
      util: 'module.exports = {isArray: Array.isArray, isNullOrUndefined: (value) => value === null || value === undefined};',
      // Protocol buffers of TensorBoard's summaries, which Kafscope writes itself.
      './proto/api_pb': 'module.exports = {};',
    };
    const names = Object.keys(contents).map((name) => name.replaceAll('.', '\\.'));
    build.onResolve({ filter: new RegExp(`^(${names.join('|')})$`) }, ({ path: name }) => ({
      path: name,
      namespace: 'stand-in',
    }));
    build.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path: name }) => ({ contents: contents[name] }));
  },
};

/** Two addons in `dist/tensorflow/<platform>-<architecture>/`. Does nothing when they are newer than their sources. */
function compileBinding(root) {
  const folder = path.join(root, 'dist/tensorflow', `${process.platform}-${process.arch}`);
  const inTfjsNode = fs.readdirSync(path.join(root, tfjsNode, 'binding')).map((file) => `${tfjsNode}/binding/${file}`);
  const sources = [
    fileURLToPath(import.meta.url),
    ...[`${ownSources}/openLibrary.c`, ownHeader, ...inTfjsNode].map((file) => path.join(root, file)),
  ];
  const newestMs = Math.max(...sources.map((file) => fs.statSync(file).mtimeMs));
  const isNew = (file) => fs.existsSync(file) && fs.statSync(file).mtimeMs > newestMs;
  const targets = [
    { name: 'openLibrary.node', language: 'c', files: [`${ownSources}/openLibrary.c`] },
    { name: 'tfjs_binding.node', language: 'c++', files: inTfjsNode.filter((file) => file.endsWith('.cc')) },
  ];
  if (targets.every(({ name }) => isNew(path.join(folder, name)))) return;
  const compiler = findCompiler();
  if (!compiler) {
    console.warn(
      'The binding to TensorFlow is not built, and the runtime tensorflow will not work: no C++ compiler (g++ or clang++) was found.',
    );
    return;
  }
  fs.mkdirSync(folder, { recursive: true });
  const headers = forwardHeaders(root, inTfjsNode);
  try {
    for (const { name, language, files } of targets) {
      const partial = path.join(folder, `${name}.${process.pid}`);
      const flags = [
        ...['-O2', '-fPIC', '-shared', '-x', language, ...(language === 'c++' ? ['-std=c++17'] : [])],
        ...['-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
        ...['node_modules/node-api-headers/include', headers, tfjsNode].flatMap((place) => ['-I', place]),
        // TensorFlow's symbols are found when the binding is loaded, after the library; Node's are in its executable.
        ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-static-libstdc++', '-static-libgcc']),
      ];
      const compiled = spawnSync(compiler, [...flags, ...files, '-o', partial], { cwd: root, encoding: 'utf8' });
      if (compiled.status !== 0) throw new Error(`${compiler} could not compile ${name}:\n${compiled.stderr}`);
      // Renamed only when whole: tests and builds may run beside each other.
      fs.renameSync(partial, path.join(folder, name));
    }
  } finally {
    fs.rmSync(headers, { recursive: true });
  }
}

/** A temporary folder in which whatever header of TensorFlow's the sources name leads to ours. */
function forwardHeaders(root, sources) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-headers-'));
  for (const source of sources) {
    const text = fs.readFileSync(path.join(root, source), 'utf8');
    for (const [, header] of text.matchAll(/^#include "(tensorflow\/.+)"/gm)) {
      fs.mkdirSync(path.dirname(path.join(folder, header)), { recursive: true });
      fs.writeFileSync(path.join(folder, header), `#include "${path.join(root, ownHeader)}"\n`);
    }
  }
  return folder;
}

/** Not on Windows: TensorFlow's wheels for it have no library with the C API. */
function findCompiler() {
  if (process.platform === 'win32') return undefined;
  const candidates = [process.env.CXX, 'g++', 'clang++'].filter(Boolean);
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildTensorflow(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}
