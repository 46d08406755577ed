// The Runs tree as data: experiments › runs › checkpoints, and the trash. How it looks in VS Code is in runsTree.ts.
import path from 'node:path';
import type { CheckpointSummary, RunSummary } from '../../server/protocol/run.ts';
import { isLive } from '../../server/protocol/run.ts';
import { compareRuns, everyRun, isFound, isPinned, type RunsChoice } from './runsView.ts';
import type { SweepSummary } from '../../server/protocol/sweep.ts';
import { byteSize, count, runDescription, shortTime } from './runText.ts';

export type RunsNode = ExperimentNode | TrashNode | RunNode | CheckpointNode | EarlierNode;

/** More than these would bury the runs below. */
const newestCheckpoints = 8;

export interface ExperimentNode {
  readonly type: 'experiment';
  readonly key: string;
  readonly label: string;
  /** `1 live of 9`, or `9 runs`. */
  readonly description: string;
  readonly runs: readonly RunNode[];
  /** Where it is one (extension/sweeps/sweepNodes.ts). */
  readonly sweep?: SweepSummary;
}

/** Runs that were put away, of which nothing is deleted yet. */
export interface TrashNode {
  readonly type: 'trash';
  readonly label: string;
  readonly description: string;
  readonly runs: readonly RunNode[];
}

export interface RunNode {
  readonly type: 'run';
  readonly run: RunSummary;
  readonly label: string;
  readonly description: string;
  /** Why a cluster, which has it, has not begun it; absent of others. */
  readonly waits?: string;
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

/**
 * Runs of the same name from the same file belong together, in the order of their first; runs that can't be read come behind them, and
 * last what is in the trash.
 */
export function runsForest(
  runs: readonly RunSummary[],
  choice: RunsChoice = everyRun,
): readonly (ExperimentNode | TrashNode)[] {
  const compare = compareRuns(choice.order);
  const sorted = runs
    .filter((run) => isFound(run, choice.filter))
    .sort((a, b) => Number(a.status === 'damaged') - Number(b.status === 'damaged') || compare(a, b));
  const trashed = sorted.filter(({ mark }) => mark?.isTrashed);
  const shown = sorted.filter((run) => isListed(run, choice));
  const groups = Map.groupBy(shown, (run) =>
    run.status === 'damaged' ? damagedKey : `${run.name}\n${run.experimentFile ?? ''}`,
  );
  const experiments = [...groups].map(([key, group]): ExperimentNode => ({
    type: 'experiment',
    key,
    label: key === damagedKey ? 'Damaged' : (group[0]?.name ?? ''),
    description: groupDescription(group),
    runs: group.map((run) => runNode(run, group)),
  }));
  if (trashed.length === 0) return experiments;
  const nodes = trashed.map((run) => runNode(run, [], `${run.name} · `));
  return [...experiments, { type: 'trash', label: 'Trash', description: groupDescription(trashed), runs: nodes }];
}

/** Whether the run stands in the view, outside of the trash. */
export function isListed({ mark }: RunSummary, { showsHidden }: RunsChoice): boolean {
  return !mark?.isTrashed && (showsHidden || !mark?.isHidden);
}

/** What the view leaves out, for people; empty where that is nothing. */
export function leftOutText(runs: readonly RunSummary[], choice: RunsChoice): string {
  const kept = runs.filter(({ mark }) => !mark?.isTrashed);
  const found = kept.filter((run) => isFound(run, choice.filter));
  const hidden = found.filter((run) => !isListed(run, choice)).length;
  return [
    ...(choice.filter === '' ? [] : [`“${choice.filter}”: ${count(found.length)} of ${count(kept.length)} runs`]),
    ...(hidden > 0 ? [`${count(hidden)} hidden`] : []),
  ].join(' · ');
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

function runNode(run: RunSummary, group: readonly RunSummary[], before = ''): RunNode {
  const isOnlyOfSeed = group.filter((other) => other.seed === run.seed).length === 1;
  const own = labelOf(run, { isOnlyOfSeed });
  const { title, tags = [] } = run.mark ?? {};
  return {
    type: 'run',
    run,
    label: title ?? `${run.status === 'damaged' ? '' : before}${own}`,
    description: [
      ...(isPinned(run) ? ['pinned'] : []),
      ...(run.mark?.isHidden ? ['hidden'] : []),
      ...(title === undefined ? [] : [own]),
      runDescription(run),
      ...tags.map((tag) => `#${tag}`),
    ]
      .filter((text) => text !== '')
      .join(' · '),
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
