// Loads TensorFlow's library, tfjs-node's binding to it and its kernels into this process, once: TensorFlow can't be unloaded.
import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { addonFiles, isCutOff, openAddon } from '../python/openAddon.ts';
import { tensorflowRemedy, type TensorflowLibrary } from './findTensorflow.ts';

export interface LoadedTensorflow {
  /** As the library itself says. */
  readonly version: string;
  makeBackend(): NodeBackend;
}

/** What is used here of tfjs-node's backend. */
export interface NodeBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: { get(dataId: object): StoredTensor };
}

/** `values` until TensorFlow first needs the tensor; then `id` is its handle. */
interface StoredTensor {
  id: number;
  values: tf.backend_util.BackendValues | null;
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
  const names = ['openLibrary', 'tfjs_binding'];
  const [openLibrary, bindingFile] = addonFiles(assetsFolder, 'tensorflow', 'TensorFlow', names) as [string, string];
  // Warnings and errors only.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const { open } = openAddon(openLibrary) as { open(file: string): void };
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
    binding = openAddon(bindingFile) as Binding;
  } catch (cause) {
    throw new Error(`${name} does not fit Kafscope's binding: ${wordsOf(cause)}. ${remedy}`, { cause });
  }
  const kernels = path.join(assetsFolder, 'tensorflow', 'nodeKernels.cjs');
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

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
