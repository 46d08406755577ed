import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { wasmBackendName } from '../../server/tensor/wasm/wasmBackend.ts';
import { runSelfTest } from '../../server/trainer/selfTest.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

const openReference = () => openRuntime('cpu', { assetsFolder });
const openWasm = () => openRuntime('wasm', { assetsFolder });

describe('the self-test of a runtime', () => {
  it('is passed by a runtime that computes right, which stays open with nothing left over', async () => {
    const { fault, stepMs } = await runSelfTest(openReference, openWasm);
    expect(fault).toBeNull();
    expect(stepMs).toBeGreaterThan(0);
    expect(tf.getBackend()).toBe(wasmBackendName);
    expect(tf.memory().numTensors).toBe(0);
  });

  describe.each([
    ['a wrong gradient', 'KafscopeKafGrad', 1.01],
    ['a gradient that is not a number', 'KafscopeKafGrad', NaN],
    ['a wrong product', tf.BatchMatMul, 1.01],
  ])('finds %s', (_, kernelName, factor) => {
    let kernel: tf.KernelConfig;
    beforeAll(async () => {
      await openWasm();
      const right = tf.getKernel(kernelName, wasmBackendName);
      kernel = { kernelName, backendName: wasmBackendName, kernelFunc: right.kernelFunc };
      tf.unregisterKernel(kernelName, wasmBackendName);
      tf.registerKernel({
        ...kernel,
        kernelFunc: (call) => {
          const outputs = right.kernelFunc(call);
          const [first] = Array.isArray(outputs) ? outputs : [outputs];
          const values = (call.backend as { data: { get(id: object): { values: Float32Array } } }).data.get(
            first!.dataId,
          ).values;
          for (let i = 0; i < values.length; i++) values[i]! *= factor;
          return outputs;
        },
      });
    });
    afterAll(() => {
      tf.unregisterKernel(kernelName, wasmBackendName);
      tf.registerKernel(kernel);
    });

    it('and says which parameter moves wrongly', async () => {
      const { fault, stepMs } = await runSelfTest(openReference, openWasm);
      expect(fault).toMatch(/^In a step of training \w+\.\w+ moves by .* instead of /);
      expect(stepMs).toBeNaN();
    });
  });
});
