// A run of many tensors, for measuring what opening and following it costs.
import type { Row } from '../../../server/protocol/records.ts';
import type { RunSnapshot } from '../../../server/protocol/snapshot.ts';
import { makeSnapshot } from './runData.ts';

/** 200 tensors × 10,000 rows of norms, and as many steps. */
export function manySnapshot(): RunSnapshot {
  const snapshot = makeSnapshot({ steps: 4692, status: 'training', normsEverySteps: 100 });
  const names = Array.from({ length: 100 }, (_, index) => `layer${index.toString()}`);
  const parameters = names.flatMap((layer) => [
    { name: `${layer}.kernel`, layer, shape: [3, 3, 64, 64] },
    { name: `${layer}.bias`, layer, shape: [64] },
  ]);
  const rows = 10_000;
  const columns = {
    ...{ seen: rows, every: 1, firstNonFinite: null },
    step: [] as number[],
    weights: [] as Float32Array[],
    gradients: [] as Float32Array[],
    nonFiniteWeights: [] as Int32Array[],
    nonFiniteGradients: [] as Int32Array[],
    before: [] as Float32Array[],
    updates: [] as Float32Array[],
    attack: [] as Float32Array[],
  };
  for (let row = 0; row < rows; row++) {
    columns.step.push(row + 1);
    columns.weights.push(
      Float32Array.from(parameters, (_, index) => 1 + index / 50 + 0.1 * Math.sin(row / 90 + index)),
    );
    columns.gradients.push(
      Float32Array.from(parameters, (_, index) => Math.exp(-row / 4000 + 0.4 * Math.sin(row / 70 + index * 3))),
    );
    columns.before.push(columns.weights.at(-1)!);
    columns.updates.push(new Float32Array());
    columns.attack.push(new Float32Array());
    columns.nonFiniteWeights.push(new Int32Array(parameters.length));
    columns.nonFiniteGradients.push(new Int32Array(parameters.length));
  }
  const steps = {
    ...{ seen: columns.step.length, every: 1 },
    step: columns.step.slice(),
    timeMs: columns.step.map((step) => 1e12 + step * 110),
    loss: columns.step.map((step) => 1 + Math.exp(-step / 3000) + 0.1 * Math.sin(step * 7)),
    accuracy: columns.step.map(() => 0.5),
    learningRate: columns.step.map(() => 0.1),
  };
  return {
    ...snapshot,
    cursor: 100_000,
    run: { ...snapshot.run, steps: 20_000, step: rows },
    prepared: {
      type: 'prepared',
      parameters,
      activations: snapshot.prepared?.activations ?? [],
      steps: 20_000,
      stepsPerEpoch: 391,
      epochs: 51,
    },
    norms: columns,
    steps,
  };
}

/** Ten steps with their norms, behind those of `manySnapshot`. */
export function liveRows(tick: number): Row[] {
  return Array.from({ length: 10 }, (_, index) => {
    const step = 10_001 + tick * 10 + index;
    const timeMs = 1e12 + step * 110;
    const seq = 100_001 + (tick * 10 + index) * 2;
    const norms = () => new Float32Array(200).fill(1 + Math.sin(step));
    return [
      {
        seq,
        timeMs,
        record: {
          type: 'step',
          step,
          epoch: 26,
          loss: 1.1 + 0.1 * Math.sin(step),
          accuracy: 0.5,
          learningRate: 0.1,
        } as const,
      },
      {
        seq: seq + 1,
        timeMs,
        record: {
          type: 'norms',
          step,
          weights: norms(),
          gradients: norms(),
          nonFiniteWeights: new Int32Array(200),
          nonFiniteGradients: new Int32Array(200),
        } as const,
      },
    ];
  }).flat();
}
