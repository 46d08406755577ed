// Builds what the runtime `tensorflow` is made of into dist/tensorflow/: tfjs-node's TypeScript kernels as one file without an
// engine of its own, and its C++ binding for this platform. TensorFlow itself is not needed, only a C++ compiler; where there is
// none, the binding is left out and the runtime says so.
import esbuild from 'esbuild';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAddons } from './compileAddons.mjs';

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

/** Two addons. */
function compileBinding(root) {
  const inTfjsNode = fs.readdirSync(path.join(root, tfjsNode, 'binding')).map((file) => `${tfjsNode}/binding/${file}`);
  const headers = forwardHeaders(root, inTfjsNode);
  try {
    compileAddons(root, {
      runtime: 'tensorflow',
      library: 'TensorFlow',
      sources: [
        fileURLToPath(import.meta.url),
        ...[`${ownSources}/openLibrary.c`, ownHeader, ...inTfjsNode].map((file) => path.join(root, file)),
      ],
      includes: [headers, tfjsNode],
      targets: [
        { name: 'openLibrary.node', language: 'c', files: [`${ownSources}/openLibrary.c`] },
        { name: 'tfjs_binding.node', language: 'c++', files: inTfjsNode.filter((file) => file.endsWith('.cc')) },
      ],
    });
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildTensorflow(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}
