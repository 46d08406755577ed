// A made-up sweep of three activations and three seeds in each state that its panel shows.
import type { ComparedRun, ToCompare } from '../../../server/protocol/panel.ts';
import type { RunStatus } from '../../../server/protocol/run.ts';
import type { SweepCell, SweepSummary } from '../../../server/protocol/sweep.ts';
import { comparedRuns } from './compareData.ts';

const reason =
  'Out of memory: a step needs 3.1 GB, and 1.9 GB are free. Lower training.batchSize, or let fewer runs go at once (--at-once 1).';

/** By scene, of each cell in the order of the matrix. */
const statusesOf: Readonly<Record<string, readonly RunStatus[]>> = {
  'sweep-waiting': [...Array<RunStatus>(9).fill('waiting')],
  'sweep-busy': [
    ...(['finished', 'finished', 'finished', 'finished', 'failed', 'finished'] as const),
    ...(['training', 'evaluating', 'waiting'] as const),
  ],
  'sweep-failed': [...(['failed', 'failed', 'failed'] as const), ...Array<RunStatus>(6).fill('waiting')],
  'sweep-done': [...Array<RunStatus>(9).fill('finished')],
};

export function sweepCells(scene: string): { sweep: SweepSummary; runs: ComparedRun[] } {
  const statuses = statusesOf[scene] ?? [];
  const minute = 60_000;
  const made = comparedRuns('busy').map((one, index): { cell: SweepCell; compared: ComparedRun | null } => {
    const status = statuses[index] ?? 'waiting';
    const activation = ['relu', 'swish', 'kaf dictionary 20'][Math.floor(index / 3)]!;
    const values = { 'model.activation': activation, seed: String(one.run.seed) };
    const name = `${activation} · seed ${String(one.run.seed)}`;
    const isDone = status === 'finished';
    const step = { finished: 20_000, evaluating: 20_000, training: 7412, failed: 0 }[status as string] ?? 0;
    const message = status === 'failed' ? reason : null;
    const createdMs = 1.78e12;
    const tookMs = (step / 20_000) * (21 + 14 * Math.floor(index / 3) + (one.run.seed % 3)) * minute;
    const run = {
      ...{ ...one.run, name: 'light-activations', status, step, message, createdMs, updatedMs: createdMs + tookMs },
      cleanAccuracy: step > 0 ? one.run.cleanAccuracy : null,
      figures: isDone ? (one.run.figures ?? []) : [],
      robustAccuracy: isDone ? one.run.figures![0]!.standing / 1000 : null,
      loss: step > 0 ? one.run.loss : null,
    };
    const hasRun = status !== 'waiting';
    return {
      cell: {
        ...{ name, values, identity: index.toString(16).padStart(32, '0'), runId: hasRun ? run.id : null, status },
        ...{ message, step, steps: 20_000, cleanAccuracy: run.cleanAccuracy, robustAccuracy: run.robustAccuracy },
      },
      compared: hasRun ? { run, settings: { ...values, seed: run.seed }, cell: name } : null,
    };
  });
  const isAtWork = scene === 'sweep-busy';
  return {
    sweep: {
      ...{ id: 'light-activations', name: 'light-activations', folder: '/home/ada/.kafscope/runs/sweeps/light' },
      ...{ experimentFile: '/home/ada/light-activations.kaf.yaml', createdMs: 1.78e12 },
      ...{ status: isAtWork ? 'working' : 'resting', place: isAtWork ? 'process 4711 on maxwell' : null },
      cells: made.map(({ cell }) => cell),
    },
    runs: made.flatMap(({ compared }) => compared ?? []),
  };
}

export function sweepAnswers(scene: string, view: unknown): ToCompare[] {
  const { sweep, runs } = sweepCells(scene);
  const bytes = scene === 'sweep-waiting' ? null : 1_240_000_000;
  return [
    { type: 'sweep', sweep, bytes },
    { type: 'runs', runs, view, isOwnView: true },
  ];
}
