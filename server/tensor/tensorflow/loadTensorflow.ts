// Loads TensorFlow's library, tfjs-node's binding to it and its kernels into this process, once: TensorFlow can't be unloaded.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { tensorflowRemedy, type TensorflowLibrary } from './findTensorflow.ts';
import type { NodeBackend } from './kernels/tensorflowKernel.ts';

export interface LoadedTensorflow {
  /** As the library itself says. */
  readonly version: string;
  makeBackend(): NodeBackend;
}

interface Binding {
  readonly TF_Version: string;
}

type BackendClass = new (binding: Binding, packageName: string) => NodeBackend;

const loaded = new Map<string, LoadedTensorflow>();

/**
 * `assetsFolder/tensorflow` holds what scripts/buildTensorflow.mjs makes. tfjs-node's kernels are registered with tfjs.
 * @throws Error with the reason and what to do, where the binding is missing, the library can't be loaded or lacks a function, or
 * another TensorFlow is loaded already.
 */
export function loadTensorflow(assetsFolder: string, library: TensorflowLibrary): LoadedTensorflow {
  const earlier = loaded.get(library.folder);
  if (earlier) return earlier;
  if (loaded.size > 0)
    throw new Error(`This process has loaded the TensorFlow in ${[...loaded.keys()].join()} already.`);
  const folder = path.join(assetsFolder, 'tensorflow');
  const platform = `${process.platform}-${process.arch}`;
  const addon = (name: string) => path.join(folder, platform, `${name}.node`);
  const missing = [addon('openLibrary'), addon('tfjs_binding')].find((file) => !fs.existsSync(file));
  if (missing) {
    throw new Error(
      `This copy of Kafscope has no binding to TensorFlow for ${platform} (${missing} is missing); "npm run build" makes it where there is a C++ compiler.`,
    );
  }
  // Warnings and errors only.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const { open } = loadAddon(addon('openLibrary')) as { open(file: string): void };
  const name = `TensorFlow ${library.version} in ${library.folder}`;
  const remedy = tensorflowRemedy(library);
  for (const file of library.files) {
    try {
      if (isCutOff(file)) throw new Error(`${file} is cut off`);
      open(file);
    } catch (cause) {
      throw new Error(`${name} can't be loaded: ${wordsOf(cause)}. ${remedy}`, { cause });
    }
  }
  let binding: Binding;
  try {
    binding = loadAddon(addon('tfjs_binding')) as Binding;
  } catch (cause) {
    throw new Error(`${name} does not fit Kafscope's binding: ${wordsOf(cause)}. ${remedy}`, { cause });
  }
  const kernels = path.join(folder, 'nodeKernels.cjs');
  const registerNodeKernels = createRequire(kernels)(kernels) as (core: typeof tf) => {
    NodeJSKernelBackend: BackendClass;
  };
  const { NodeJSKernelBackend } = registerNodeKernels(tf);
  const made: LoadedTensorflow = {
    version: binding.TF_Version,
    makeBackend: () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'),
  };
  loaded.set(library.folder, made);
  return made;
}

const elfMagic = 0x7f454c46;

/**
 * Whether the section table of a 64-bit ELF file, which is its end, lies behind the end of the file. Such a library may load and end
 * the process later, when what is missing is touched.
 */
function isCutOff(file: string): boolean {
  const header = Buffer.alloc(64);
  const opened = fs.openSync(file, 'r');
  try {
    const bytesRead = fs.readSync(opened, header);
    if (bytesRead < header.length || header.readUInt32BE(0) !== elfMagic) return false;
    const tableBytes = header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c);
    return Number(header.readBigUInt64LE(0x28)) + tableBytes > fs.fstatSync(opened).size;
  } finally {
    fs.closeSync(opened);
  }
}

/** With all symbols resolved at once: one that is missing is an error here, not the end of the process later. */
function loadAddon(file: string): unknown {
  const module = { exports: {} };
  process.dlopen(module, file, os.constants.dlopen.RTLD_NOW);
  return module.exports;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
