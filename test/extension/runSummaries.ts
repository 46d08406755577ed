// Runs for tests.
import type { RunSummary } from '../../server/protocol/run.ts';

export function runSummary(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'run-1',
    name: 'kaf-light',
    seed: 0,
    status: 'training',
    message: null,
    createdMs: 1000,
    updatedMs: 2000,
    step: 120,
    steps: 800,
    epoch: 3,
    epochs: 20,
    loss: 1.3,
    cleanAccuracy: 0.641,
    robustAccuracy: 0.389,
    imagesPerSecond: 900,
    device: 'wasm · 1 thread',
    memory: null,
    description: 'light · KAF 20 · FGSM-RS 8/255 · shapes',
    experimentFile: '/experiments/kaf-light.kaf.yaml',
    folder: '/runs/run-1',
    checkpoints: [],
    incarnation: 0,
    revision: 0,
    ...changes,
  };
}
