// Builds what the runtime `torch` is made of into dist/torch/: its binding for this platform. PyTorch itself is not needed.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAddons } from './compileAddons.mjs';

const binding = 'server/tensor/torch/binding';

/** @param {string} root the project's folder @throws Error with the compiler's own words */
export function buildTorch(root) {
  const files = fs.readdirSync(path.join(root, binding)).map((file) => `${binding}/${file}`);
  compileAddons(root, {
    runtime: 'torch',
    library: 'PyTorch',
    sources: [fileURLToPath(import.meta.url), ...files.map((file) => path.join(root, file))],
    includes: [],
    targets: [{ name: 'torch.node', language: 'c', files: files.filter((file) => file.endsWith('.c')) }],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  buildTorch(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}
