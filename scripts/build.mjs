// Builds everything into dist/: kernels by AssemblyScript, what the runtimes tensorflow and torch need, then one bundle a process and one a
// webview by esbuild.
//   build.mjs [--watch] [--only kernels|bundles]
import esbuild from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeNotices } from './notices.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const only = argumentAfter('--only');
const isWatching = process.argv.includes('--watch');
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** @type {import('esbuild').BuildOptions} */
const shared = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: true,
  logLevel: 'info',
  define: { __KAFSCOPE_VERSION__: JSON.stringify(version) },
  loader: { '.ttf': 'file', '.svg': 'text' },
};

const node = {
  ...shared,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  outdir: 'dist',
  external: ['vscode'],
  minifySyntax: true,
};

const bundles = [
  { ...node, entryPoints: { extension: 'extension/main.ts' } },
  {
    ...node,
    entryPoints: {
      server: 'server/main.ts',
      trainer: 'server/trainerMain.ts',
      language: 'server/languageMain.ts',
      cli: 'server/cli.ts',
      runtimeTrial: 'server/runtimeTrialMain.ts',
      inspect: 'server/inspectMain.ts',
      look: 'server/lookMain.ts',
      series: 'server/seriesMain.ts',
    },
  },
  {
    ...shared,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: !isWatching,
    outdir: 'dist/webview',
    tsconfig: 'webview/tsconfig.json',
    entryPoints: {
      dashboard: 'webview/dashboard/main.ts',
      compare: 'webview/compare/main.ts',
      monitor: 'webview/monitor/main.ts',
      checkpoint: 'webview/checkpoint/main.ts',
      dataset: 'webview/dataset/main.ts',
      'learning-rate': 'webview/learningRate/main.ts',
    },
  },
];

if (only !== 'bundles') {
  const { buildKernels } = await import('./buildKernels.mjs');
  await buildKernels(root);
  // With the kernels: tests run the sources, but a thread needs a file of its own.
  await esbuild.build({
    ...node,
    entryPoints: {
      kernelThread: 'server/tensor/wasm/threads/kernelThreadMain.ts',
      batchThread: 'server/data/batchThreadMain.ts',
    },
  });
  copyVips();
}
if (only === undefined) {
  const { buildTensorflow } = await import('./buildTensorflow.mjs');
  await buildTensorflow(root);
  const { buildTorch } = await import('./buildTorch.mjs');
  buildTorch(root);
}
if (only !== 'kernels') {
  copyCodicons();
  if (isWatching) {
    for (const bundle of bundles) await (await esbuild.context(bundle)).watch();
  } else {
    const built = await Promise.all(bundles.map((bundle) => esbuild.build({ ...bundle, metafile: true })));
    const files = [...built.flatMap(({ metafile }) => Object.keys(metafile.inputs)), ...mappedSources()];
    fs.writeFileSync(path.join(root, 'dist/THIRD_PARTY_NOTICES.txt'), makeNotices(root, files));
  }
}

function copyCodicons() {
  const from = path.join(root, 'node_modules/@vscode/codicons/dist');
  const to = path.join(root, 'dist/webview');
  fs.mkdirSync(to, { recursive: true });
  for (const file of ['codicon.css', 'codicon.ttf']) fs.copyFileSync(path.join(from, file), path.join(to, file));
}

/** What decodes pictures: it finds its other half beside it, and starts threads of its own file. */
function copyVips() {
  const from = path.join(root, 'node_modules/wasm-vips/lib');
  const to = path.join(root, 'dist/vips');
  fs.mkdirSync(to, { recursive: true });
  // The project's folders hold modules; this is none.
  fs.copyFileSync(path.join(from, 'vips-node.js'), path.join(to, 'vips-node.cjs'));
  fs.copyFileSync(path.join(from, 'vips.wasm'), path.join(to, 'vips.wasm'));
}

/** Of bundles that another step of the build has made: sources as their maps name them. */
function mappedSources() {
  const dist = path.join(root, 'dist');
  const maps = fs.readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.map'));
  return maps.flatMap((file) => JSON.parse(fs.readFileSync(path.join(dist, file), 'utf8')).sources);
}

function argumentAfter(flag) {
  const index = process.argv.indexOf(flag);
  return index < 0 ? undefined : process.argv[index + 1];
}
