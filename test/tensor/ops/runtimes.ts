// The runtimes that the op contracts run on, by name, and how each is opened.
import * as tf from '@tensorflow/tfjs-core';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

import { openRuntime } from '../../../server/tensor/runtime.ts';

export const runtimeNames = ['cpu', 'wasm', 'tensorflow'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

const assetsFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../dist');

/** Makes the runtime tfjs's backend, and says so: the end of `npm test` tells where it ran. Fails where it can't. */
export async function openContractRuntime(name: RuntimeName): Promise<void> {
  const runtime = await openRuntime(name, { assetsFolder });
  expect(runtime.name).toBe(name);
  expect(tf.getBackend()).toBe({ cpu: 'cpu', wasm: 'kafscope-wasm', tensorflow: 'tensorflow' }[name]);
  const ran = process.env['KAFSCOPE_RUNTIMES_FILE'];
  if (ran) fs.appendFileSync(ran, `${runtime.name}\t${runtime.device}\n`);
  console.info(`contract suite on ${runtime.name}: ${runtime.device}`);
}
