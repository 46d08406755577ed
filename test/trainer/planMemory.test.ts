import { describe, expect, it } from 'vitest';
import type { EvaluationPlan, NetworkPlan, Plan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import { bytesText, checkMemory, estimateStepBytes } from '../../server/trainer/planMemory.ts';
import { train } from '../../server/trainer/train.ts';
import { openDataset } from '../../server/data/dataset.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { tinyPlan } from './tinyPlan.ts';

const ends = { imageShape: [32, 32, 3], nClasses: 10 } as const;
const resnet20 = { type: 'resnet', depth: 20 } as const;

function planOf(network: NetworkPlan, batchSize: number, method: 'standard' | 'fgsm-rs'): Plan {
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: batchSize, testSamples: 1, seed: 0 },
    model: {
      ...tinyPlan.model,
      network,
      activation: { type: 'kaf', dictionary: 20, boundary: 3, gamma: 361 / 216, init: { type: 'normal', std: 0.3 } },
      dropout: network === 'light' ? [0.2, 0.3, 0.4] : network === 'vgg' ? [0.2, 0.25, 0.3, 0.4] : [],
    },
    training: {
      ...tinyPlan.training,
      method,
      threat: method === 'standard' ? null : tinyPlan.training.threat,
      epochs: 1,
      batchSize,
    },
    observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
  };
}

describe('estimateStepBytes', () => {
  it.each([
    ['light', 8, 'standard'],
    ['light', 64, 'fgsm-rs'],
    ['vgg', 8, 'fgsm-rs'],
    ['vgg', 64, 'standard'],
    [resnet20, 8, 'standard'],
    [resnet20, 32, 'fgsm-rs'],
  ] as const)('is close to the measured peak: %o, batches of %i, %s', async (network, batchSize, method) => {
    const { backend } = await openWasmBackend(assetsFolder, { threads: 2 });
    const plan = planOf(network, batchSize, method);
    const dataset = await openDataset(plan.dataset);
    for await (const event of train(plan, dataset, { from: null, signal: new AbortController().signal })) {
      expect(event.type === 'record' && event.record.type === 'diverged').toBe(false);
    }
    const { peakBytes } = backend.pool;
    // The kernels' scratch, some 5 MB whatever the batch is (Winograd's transformed filters), is not in the estimate.
    const allowedBytes = Math.max(0.15 * peakBytes, 8e6);
    expect(Math.abs(estimateStepBytes(plan, ends) - peakBytes)).toBeLessThan(allowedBytes);
  });
});

describe('checkMemory', () => {
  const plan = planOf(resnet20, 128, 'fgsm-rs');
  const limit = (bytes: number) => ({ what: 'what the runtime wasm can address', bytes });

  it('lets pass what fits to the byte', () => {
    const needed = estimateStepBytes(plan, ends);
    expect(() => {
      checkMemory(plan, ends, limit(needed));
    }).not.toThrow();
    expect(() => {
      checkMemory(plan, ends, limit(needed - 1));
    }).toThrow('training.batchSize to 127 or less');
  });

  it('says what is needed, what there is and the largest batch that fits', () => {
    const most = estimateStepBytes(planOf(resnet20, 40, 'fgsm-rs'), ends);
    expect(() => {
      checkMemory(plan, ends, limit(most));
    }).toThrow(
      `Batches of 128 images need about ${bytesText(estimateStepBytes(plan, ends))} of memory; what the runtime wasm can address is ${bytesText(most)}. Set training.batchSize to 40 or less.`,
    );
  });

  it('looks at evaluations by themselves, and says where nothing fits', () => {
    const evaluation = {
      ...{ attack: 'pgd', norm: 'linf', epsilon: 0.1, stepSize: 0.01, steps: 1, restarts: 1, samples: 2000 },
      ...{ batchSize: 1000, protocol: 'worst-case' },
    } satisfies EvaluationPlan;
    const most = estimateStepBytes(plan, ends);
    expect(() => {
      checkMemory({ ...plan, evaluation: [evaluation] }, ends, limit(most));
    }).toThrow(/Set evaluation\[0\]\.batchSize to 1\d\d or less/);
    expect(() => {
      checkMemory(plan, ends, limit(1e6));
    }).toThrow('Not even a batch of one image fits: choose a smaller network.');
  });
});
