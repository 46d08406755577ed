import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { wasmBackendName } from '../../server/tensor/wasm/wasmBackend.ts';
import { findFault, runSelfTest } from '../../server/trainer/selfTest.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

const openReference = () => openRuntime('cpu', { assetsFolder });
const optimizedKernel = 'KafscopeKafGrad';

function replaceKernel(kernelName: string, kernelFunc: tf.KernelFunc): void {
  tf.unregisterKernel(kernelName, wasmBackendName);
  tf.registerKernel({ kernelName, backendName: wasmBackendName, kernelFunc });
}

const openWasm = () => openRuntime('wasm', { assetsFolder });

describe('the self-test of a runtime', () => {
  it('is passed by a runtime that computes right, which stays open with nothing left over', async () => {
    const { fault, stepMs } = await runSelfTest(openReference, openWasm);
    expect(fault).toBeNull();
    expect(stepMs).toBeGreaterThan(0);
    expect(tf.getBackend()).toBe(wasmBackendName);
    expect(tf.memory().numTensors).toBe(0);
  });

  it('takes the faster of two steps, after one that warms up', async () => {
    await openWasm();
    const right = tf.getKernel(optimizedKernel, wasmBackendName).kernelFunc;
    // Each step calls it equally often; time passes in it alone.
    let nCalls = 0;
    let nowMs = 0;
    let perStep = Infinity;
    let costsMs: readonly number[] = [0];
    replaceKernel(optimizedKernel, (call) => {
      nowMs += costsMs[Math.floor(nCalls++ / perStep)]!;
      return right(call);
    });
    const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    try {
      await runSelfTest(openReference, openWasm);
      perStep = nCalls / 4;
      for (const [first, second] of [
        [3, 1],
        [1, 3],
      ] as const) {
        nCalls = 0;
        costsMs = [0, 1000, first, second];
        expect((await runSelfTest(openReference, openWasm)).stepMs).toBe(perStep);
        expect(nCalls).toBe(4 * perStep);
      }
    } finally {
      now.mockRestore();
      replaceKernel(optimizedKernel, right);
    }
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
      // What is compared is how it moves, which is little beside what it is.
      const [, move, difference] = /instead of (\S+) \(difference (\S+)\)/.exec(fault!)!.map(Number) as [
        number,
        number,
        number,
      ];
      expect(difference / move).not.toBeLessThan(0.01);
      expect(stepMs).toBeNaN();
    });
  });
});

describe('a fault of a runtime', () => {
  const expected = new Map([
    ['large', Float32Array.of(3, 4)],
    ['small', Float32Array.of(0.5, 0)],
    ['still', Float32Array.of(0, 0)],
  ]);
  const withMove = (name: string, ...values: number[]) =>
    findFault(new Map(expected).set(name, Float32Array.from(values)), expected);

  it('is none where every parameter moves as expected, but for rounding: a thousandth of it, and a little of the largest', () => {
    expect(findFault(expected, expected)).toBeNull();
    // 5e-3 and 5e-4 are allowed.
    expect(withMove('large', 3, 4.0054)).toBeNull();
    // 5e-4 and 5e-4.
    expect(withMove('small', 0.50095, 0)).toBeNull();
    expect(withMove('still', 0, 0.00045)).toBeNull();
  });

  it.each([
    ['large', [3, 4.0057], '5.005', '5.000', '0.0057'],
    ['small', [0.50105, 0], '0.5010', '0.5000', '0.0010'],
    ['small', [0, 0.5], '0.5000', '0.5000', '0.71'],
    ['small', [-0.5, 0], '0.5000', '0.5000', '1.0'],
    ['still', [0, 0.00055], '0.0005500', '0.000', '0.00055'],
    ['small', [Number.NaN, 0], 'NaN', '0.5000', 'NaN'],
  ] as const)('names the parameter that moves otherwise: %s by %j', (name, values, actual, right, difference) => {
    expect(withMove(name, ...values)).toBe(
      `In a step of training ${name} moves by ${actual} instead of ${right} (difference ${difference}).`,
    );
  });
});
