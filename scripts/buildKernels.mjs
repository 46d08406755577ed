// Compiles the AssemblyScript kernels twice, plain and relaxed SIMD, into dist/. Does nothing when they are up to date.
import asc from 'assemblyscript/asc';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const builds = [
  { file: 'kernels.wasm', features: ['simd', 'threads'] },
  { file: 'kernels.relaxed.wasm', features: ['simd', 'threads', 'relaxed-simd'] },
];

/**
 * Writes `dist/kernels.wasm` and `dist/kernels.relaxed.wasm` from `server/tensor/wasm/assembly`, whose top-level files are the
 * entries; `parts/` is only imported.
 * @param {string} root the project's folder
 * @throws Error with the compiler's own words
 */
export async function buildKernels(root) {
  const folder = path.join(root, 'server/tensor/wasm/assembly');
  const sources = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const newestMs = Math.max(
    fs.statSync(fileURLToPath(import.meta.url)).mtimeMs,
    ...sources.map((file) => fs.statSync(path.join(folder, file)).mtimeMs),
  );
  const entries = sources.filter((file) => path.dirname(file) === '.').sort();
  fs.mkdirSync(path.join(root, 'dist'), { recursive: true });
  for (const { file, features } of builds) {
    const out = path.join(root, 'dist', file);
    if (fs.existsSync(out) && fs.statSync(out).mtimeMs > newestMs) continue;
    const partial = `${out}.${process.pid}`;
    const { error, stderr } = await asc.main([
      ...entries.map((entry) => path.join('server/tensor/wasm/assembly', entry)),
      ...['--baseDir', root, '--outFile', path.relative(root, partial)],
      ...['--runtime', 'stub', '-O3', '--noAssert', '--importMemory', '--sharedMemory', '--noExportMemory'],
      ...['--initialMemory', '1', '--maximumMemory', '65536', '--enable', features.join(',')],
    ]);
    if (error) throw new Error(`AssemblyScript could not compile ${file}: ${error.message}\n${stderr.toString()}`);
    // Renamed only when whole: tests and builds may run beside each other.
    fs.renameSync(partial, out);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildKernels(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}
