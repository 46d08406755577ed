// A run as long as nobody waits for: steps, and the norms of many tensors at every so many of them, as a trainer would have logged them.
import fs from 'node:fs';
import path from 'node:path';
import type { RunSummary } from '../../server/protocol/run.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { LogWriter } from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { createRun, progressOf } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';

export interface LongRunOptions {
  readonly nSteps: number;
  readonly nTensors: number;
  readonly normsEvery: number;
  /** At which the loss is far above all others. */
  readonly spikeAt?: number;
}

export function makeLongRun(runsFolder: string, { nSteps, nTensors, normsEvery, spikeAt }: LongRunOptions): RunSummary {
  fs.mkdirSync(runsFolder, { recursive: true });
  const plan = scriptedPlan('steps');
  const made = createRun(
    runsFolder,
    {
      plan: { ...plan, observe: { ...plan.observe, normsEverySteps: normsEvery } },
      ...{ description: 'long', experimentText: 'name: long', experimentFile: null, versions: { kafscope: '0' } },
    },
    1_000_000,
  );
  const writer = new LogWriter(made.folder, {
    ...{ format: 'kafscope log', version: 1, number: 0, owner: { ...thisProcess(), pid: 4_000_000 } },
    ...{ work: 'train', startedMs: 1, firstSeq: 1, voids: null, restStatus: null },
  });
  const parameters = Array.from({ length: nTensors }, (_, index) => ({
    name: `layer${String(index >> 1)}.${index % 2 === 0 ? 'kernel' : 'bias'}`,
    ...{ layer: `layer${String(index >> 1)}`, shape: [3, 3, 16, 16] },
  }));
  let rows: { seq: number; timeMs: number; step: number; record: RunRecord }[] = [];
  let seq = 0;
  const put = (step: number, record: RunRecord): void => {
    rows.push({ seq: ++seq, timeMs: 1_000_000 + 50 * step, step, record });
  };
  const commit = (): void => {
    if (rows.length > 0) writer.append(encodeFrame('rows', rows));
    rows = [];
  };
  put(0, {
    ...{ type: 'prepared', parameters, activations: [], steps: nSteps, stepsPerEpoch: 390 },
    epochs: Math.ceil(nSteps / 390),
  });
  const zeros = new Int32Array(nTensors);
  for (let step = 1; step <= nSteps; step++) {
    const loss = step === spikeAt ? 1e6 : 2.3 / Math.sqrt(1 + step / 1000) + 0.1 * Math.sin(step * 12.9898) ** 3;
    put(step, {
      ...{ type: 'step', step, epoch: 1 + Math.floor(step / 390), loss },
      ...{ accuracy: 1 - loss / 3, learningRate: 0.1 },
    });
    if (step % normsEvery === 0) {
      const norms = (scale: number): Float32Array =>
        Float32Array.from(parameters, (_, index) => scale * (1 + index) * (1.5 + Math.sin(step / 1000 + index)));
      put(step, {
        ...{ type: 'norms', step, weights: norms(1), gradients: norms(0.01) },
        ...{ nonFiniteWeights: zeros, nonFiniteGradients: zeros },
      });
      put(step, { type: 'updates', step, before: norms(1), updates: norms(0.001 * (1 + Math.cos(step / 7))) });
    }
    if (step % 390 === 0) {
      put(step, {
        ...{ type: 'test', step, epoch: step / 390, loss: loss / 2, accuracy: 0.8, samples: 1000 },
        ...{ robustAccuracy: null, robustSamples: 0 },
      });
    }
    if (step % 50 === 0) commit();
  }
  commit();
  const progress = {
    ...progressOf(glance(made.folder).summary),
    ...{ status: 'finished' as const, step: nSteps, steps: nSteps, epoch: 1, epochs: Math.ceil(nSteps / 390) },
  };
  writer.append(encodeFrame('state', { progress, seq, evaluations: 0 }));
  writer.close();
  return glance(made.folder).summary;
}

export function logBytes(folder: string): number {
  return fs.statSync(path.join(folder, 'log-0')).size;
}
