// The Runs tree as data: experiments › runs › checkpoints, newest first. How it looks in VS Code is in runsTree.ts.
import path from 'node:path';
import type { CheckpointSummary, RunSummary } from '../../server/protocol/run.ts';
import { isLive } from '../../server/protocol/run.ts';
import { byteSize, count, runDescription, shortTime } from './runText.ts';

export type RunsNode = ExperimentNode | RunNode | CheckpointNode | EarlierNode;

/** More than these would bury the runs below. */
const newestCheckpoints = 8;

export interface ExperimentNode {
  readonly type: 'experiment';
  readonly key: string;
  readonly label: string;
  /** `1 live of 9`, or `9 runs`. */
  readonly description: string;
  readonly runs: readonly RunNode[];
}

export interface RunNode {
  readonly type: 'run';
  readonly run: RunSummary;
  readonly label: string;
  readonly description: string;
  /** The newest, and behind one node the rest. */
  readonly checkpoints: readonly (CheckpointNode | EarlierNode)[];
}

export interface EarlierNode {
  readonly type: 'earlier';
  readonly run: RunSummary;
  readonly label: string;
  readonly checkpoints: readonly CheckpointNode[];
}

export interface CheckpointNode {
  readonly type: 'checkpoint';
  readonly run: RunSummary;
  readonly checkpoint: CheckpointSummary;
  /** Absolute path. */
  readonly file: string;
  readonly label: string;
  readonly description: string;
}

/** Runs of the same name from the same file belong together; those with the latest run come first, and runs that can't be read last. */
export function runsForest(runs: readonly RunSummary[]): readonly ExperimentNode[] {
  const newestFirst = [...runs].sort(
    (a, b) =>
      Number(a.status === 'damaged') - Number(b.status === 'damaged') ||
      b.createdMs - a.createdMs ||
      b.id.localeCompare(a.id, 'en', { numeric: true }),
  );
  const groups = Map.groupBy(newestFirst, (run) =>
    run.status === 'damaged' ? damagedKey : `${run.name}\n${run.experimentFile ?? ''}`,
  );
  return [...groups].map(([key, group]) => ({
    type: 'experiment',
    key,
    label: key === damagedKey ? 'Damaged' : (group[0]?.name ?? ''),
    description: groupDescription(group),
    runs: group.map((run) => runNode(run, group)),
  }));
}

/** No name of an experiment is empty. */
const damagedKey = '\n';

export function checkpointFile(run: RunSummary, file: string): string {
  return path.join(run.folder, 'checkpoints', file);
}

function groupDescription(runs: readonly RunSummary[]): string {
  const live = runs.filter((run) => isLive(run.status)).length;
  if (live > 0) return `${live} live of ${runs.length}`;
  return runs.length === 1 ? '1 run' : `${runs.length} runs`;
}

function runNode(run: RunSummary, group: readonly RunSummary[]): RunNode {
  const isOnlyOfSeed = group.filter((other) => other.seed === run.seed).length === 1;
  return {
    type: 'run',
    run,
    label: labelOf(run, { isOnlyOfSeed }),
    description: runDescription(run),
    checkpoints: checkpointNodes(run),
  };
}

/** Of a run that can't be read the folder's name is all that is known. */
function labelOf(run: RunSummary, { isOnlyOfSeed }: { isOnlyOfSeed: boolean }): string {
  if (run.status === 'damaged') return run.name;
  return isOnlyOfSeed ? `seed ${run.seed}` : `seed ${run.seed} · ${shortTime(run.createdMs)}`;
}

function checkpointNodes(run: RunSummary): RunNode['checkpoints'] {
  const nodes = [...run.checkpoints].sort((a, b) => b.step - a.step).map((each) => checkpointNode(run, each));
  if (nodes.length <= newestCheckpoints + 1) return nodes;
  const earlier = nodes.slice(newestCheckpoints);
  const label = `${count(earlier.length)} earlier`;
  return [...nodes.slice(0, newestCheckpoints), { type: 'earlier', run, label, checkpoints: earlier }];
}

function checkpointNode(run: RunSummary, checkpoint: CheckpointSummary): CheckpointNode {
  return {
    type: 'checkpoint',
    run,
    checkpoint,
    file: checkpointFile(run, checkpoint.file),
    label: `epoch ${checkpoint.epoch}`,
    description: [`step ${count(checkpoint.step)}`, ...sizeText(checkpoint)].join(' · '),
  };
}

function sizeText({ sizeBytes }: CheckpointSummary): string[] {
  return sizeBytes === undefined ? [] : [byteSize(sizeBytes)];
}
