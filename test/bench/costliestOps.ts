// Where the time of a training step goes: every kernel that tfjs runs, timed. Kernels within kernels count for themselves only.
import * as tf from '@tensorflow/tfjs-core';
import { makeStepper } from './trainingStep.ts';
import type { Work } from './work.ts';

export interface OpCost {
  readonly kernel: string;
  /** In a step. */
  readonly calls: number;
  readonly ms: number;
  /** Of the step, in percent. */
  readonly share: number;
}

/** The ten costliest, the norms, and what is left: other kernels, and all that is outside of kernels. The runtime must be open. */
export async function findCostliestOps(work: Work, rounds: number): Promise<OpCost[]> {
  const step = makeStepper(work);
  for (let i = 0; i < 3; i++) await step();
  const costs = new Map<string, { calls: number; ms: number }>();
  const release = timeKernels(costs);
  const startMs = performance.now();
  for (let i = 0; i < rounds; i++) await step();
  const totalMs = performance.now() - startMs;
  release();
  const cost = (kernel: string, calls: number, ms: number): OpCost => ({
    kernel,
    calls: calls / rounds,
    ms: Math.round((100 * ms) / rounds) / 100,
    share: Math.round((1000 * ms) / totalMs) / 10,
  });
  const sorted = [...costs].toSorted(([, a], [, b]) => b.ms - a.ms);
  const shown = sorted.filter(([kernel], index) => index < 10 || kernel === 'KafscopeNorms');
  const rest = sorted.filter((each) => !shown.includes(each));
  const restMs = rest.reduce((sum, [, { ms }]) => sum + ms, 0);
  const outsideMs = totalMs - sorted.reduce((sum, [, { ms }]) => sum + ms, 0);
  return [
    ...shown.map(([kernel, { calls, ms }]) => cost(kernel, calls, ms)),
    cost(
      `${rest.length} other kernels`,
      rest.reduce((sum, [, { calls }]) => sum + calls, 0),
      restMs,
    ),
    cost('outside of kernels', 0, outsideMs),
  ];
}

/** @returns what ends it */
function timeKernels(costs: Map<string, { calls: number; ms: number }>): () => void {
  const backendName = tf.getBackend();
  const restored: (() => void)[] = [];
  const innerMs: number[] = [];
  for (const kernel of tf.getKernelsForBackend(backendName)) {
    const { kernelName, kernelFunc } = kernel;
    const mutable = kernel as { kernelFunc: typeof kernelFunc };
    mutable.kernelFunc = (call) => {
      const startMs = performance.now();
      innerMs.push(0);
      try {
        return kernelFunc(call);
      } finally {
        const ms = performance.now() - startMs;
        const inner = innerMs.pop()!;
        if (innerMs.length > 0) innerMs[innerMs.length - 1]! += ms;
        const cost = costs.get(kernelName) ?? { calls: 0, ms: 0 };
        costs.set(kernelName, { calls: cost.calls + 1, ms: cost.ms + ms - inner });
      }
    };
    restored.push(() => {
      mutable.kernelFunc = kernelFunc;
    });
  }
  return () => {
    for (const restore of restored) restore();
  };
}
