// Every command with its handler, in one place. The type makes sure that none is missing.
import * as vscode from 'vscode';
import { isLive } from '../../server/protocol/run.ts';
import type { CommandId } from '../contributions.ts';
import { walkthroughId } from '../contributions.ts';
import { attempt } from '../showFailure.ts';
import { chooseData } from './chooseData.ts';
import { compareRuns } from './compareRuns.ts';
import { downloadDataset } from './downloadDataset.ts';
import { inspectCheckpoint } from './inspectCheckpoint.ts';
import { TensorflowInstaller } from './installTensorflow.ts';
import type { ExperimentLanguage } from '../experiments/experimentLanguage.ts';
import type { MarkCommands } from './markCommands.ts';
import { newExperiment } from './newExperiment.ts';
import type { DatasetPanels } from '../panels/datasetPanel.ts';
import type { LearningRatePanels } from '../panels/learningRatePanel.ts';
import type { RunCommandParts } from './runCommands.ts';
import type { RunCommands } from './runCommands.ts';
import type { RunsView } from '../runs/runsView.ts';
import { selectRuntime, type SelectRuntimeParts } from './selectRuntime.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';
import type { SweepCommands } from '../sweeps/sweepCommands.ts';
import { train } from './train.ts';

export interface CommandParts extends RunCommandParts, SelectRuntimeParts {
  readonly runCommands: RunCommands;
  readonly markCommands: MarkCommands;
  /** What is chosen in the Runs view. */
  readonly chosenRuns: () => readonly unknown[];
  readonly runsView: RunsView;
  readonly sweepCommands: SweepCommands;
  readonly sweeps: SweepStore;
  readonly datasetPanels: DatasetPanels;
  readonly learningRatePanels: LearningRatePanels;
  readonly withDataPath: ExperimentLanguage['withDataPath'];
  readonly openComparison: (runIds: readonly string[]) => void;
  readonly log: vscode.LogOutputChannel;
  readonly extensionUri: vscode.Uri;
}

/** Called with what VS Code passes: a tree's node and all that are chosen, a file, an id, or nothing. */
export type CommandHandler = (argument?: unknown, chosen?: unknown) => Promise<void> | void;

export function commandTable(parts: CommandParts): Readonly<Record<CommandId, CommandHandler>> {
  const { connection, store, runCommands, markCommands, sweepCommands, log } = parts;
  /** A key that is pressed in the view means the rows that are chosen there. */
  const rows = (argument: unknown, chosen: unknown): readonly unknown[] => {
    if (argument !== undefined && !isOfKey(argument)) return [argument, chosen];
    const selection = isOfKey(argument) ? parts.chosenRuns() : [];
    return [selection[0], selection];
  };
  const installer = new TensorflowInstaller(parts.extensionUri, (line) => {
    parts.log.warn(line);
  });
  const startSweep = (document: vscode.TextDocument) => sweepCommands.start(document.uri);
  const trainParts = { ...parts, startSweep };
  return {
    'kafscope.train': (argument) => train(trainParts, argument),
    'kafscope.startSweep': (argument) => sweepCommands.start(argument),
    'kafscope.pauseSweep': (argument) => sweepCommands.pause(argument),
    'kafscope.resumeSweep': (argument) => sweepCommands.resume(argument),
    'kafscope.stopSweep': (argument) => sweepCommands.stop(argument),
    'kafscope.repeatSweep': (argument) => sweepCommands.again(argument),
    'kafscope.showSweep': (argument) => sweepCommands.show(argument),
    'kafscope.trainOneEpoch': (argument) => train(trainParts, argument, { 'training.epochs': 1 }),
    'kafscope.pauseRun': (argument) => runCommands.pause(argument),
    'kafscope.resumeRun': (argument) => runCommands.resume(argument),
    'kafscope.stopRun': (argument) => runCommands.stop(argument),
    'kafscope.deleteRun': (argument, chosen) => runCommands.delete(...rows(argument, chosen)),
    'kafscope.emptyTrash': () => runCommands.emptyTrash(),
    'kafscope.trashRun': (argument, chosen) => markCommands.trash(...rows(argument, chosen)),
    'kafscope.restoreRun': (argument, chosen) => markCommands.restore(...rows(argument, chosen)),
    'kafscope.renameRun': (argument, chosen) => markCommands.rename(...rows(argument, chosen)),
    'kafscope.tagRun': (argument, chosen) => markCommands.tag(...rows(argument, chosen)),
    'kafscope.noteRun': (argument, chosen) => markCommands.note(...rows(argument, chosen)),
    'kafscope.pinRun': (argument, chosen) => markCommands.set('isPinned', true, ...rows(argument, chosen)),
    'kafscope.unpinRun': (argument, chosen) => markCommands.set('isPinned', undefined, ...rows(argument, chosen)),
    'kafscope.hideRun': (argument, chosen) => markCommands.set('isHidden', true, ...rows(argument, chosen)),
    'kafscope.showRun': (argument, chosen) => markCommands.set('isHidden', undefined, ...rows(argument, chosen)),
    'kafscope.filterRuns': () => markCommands.filter(),
    'kafscope.sortRuns': () => markCommands.sort(),
    'kafscope.showHiddenRuns': () => {
      parts.runsView.choose({ showsHidden: true });
    },
    'kafscope.leaveOutHiddenRuns': () => {
      parts.runsView.choose({ showsHidden: false });
    },
    'kafscope.copyPlan': (argument) => runCommands.copyPlan(argument),
    'kafscope.forkRun': (argument) => runCommands.fork(argument),
    'kafscope.openRunFolder': (argument) => runCommands.openFolder(argument),
    'kafscope.openDashboard': (argument) => runCommands.openDashboard(argument),
    'kafscope.compareRuns': (argument, chosen) =>
      compareRuns({ store, view: parts.runsView, open: parts.openComparison }, argument, chosen),
    'kafscope.showTickBoxes': () => {
      parts.runsView.choose({ ticked: [] });
    },
    'kafscope.hideTickBoxes': () => {
      parts.runsView.choose({ ticked: null });
    },
    'kafscope.evaluateRun': (argument) => runCommands.evaluate(argument),
    'kafscope.newExperiment': newExperiment,
    'kafscope.inspectCheckpoint': inspectCheckpoint,
    'kafscope.downloadDataset': (argument) => downloadDataset(parts.extensionUri, argument),
    'kafscope.chooseData': (argument, hint) => chooseData(parts.withDataPath, argument, hint),
    'kafscope.showDataset': (argument) => attempt('show the data set', () => parts.datasetPanels.show(argument)),
    'kafscope.findLearningRate': (argument) =>
      attempt('find a learning rate', () => parts.learningRatePanels.show(argument)),
    'kafscope.selectRuntime': () => selectRuntime(parts),
    'kafscope.installTensorflow': () => installer.install(),
    'kafscope.showLog': () => {
      log.show();
    },
    'kafscope.restartServer': () => restartServer(parts),
    'kafscope.refreshRuns': () =>
      attempt('list the runs', () => Promise.all([store.refresh(), parts.sweeps.refresh()])),
    'kafscope.openWalkthrough': async () => {
      await vscode.commands.executeCommand('workbench.action.openWalkthrough', walkthroughId, false);
    },
  };

  async function restartServer({ store: { runs } }: CommandParts): Promise<void> {
    const live = runs.filter((run) => isLive(run.status)).length;
    if (live > 0) {
      const message = `Restart the server while ${live === 1 ? '1 run is' : `${live} runs are`} live?`;
      const detail = 'Each writes a checkpoint and ends as interrupted; it can be resumed from there.';
      if ((await vscode.window.showWarningMessage(message, { modal: true, detail }, 'Restart')) !== 'Restart') return;
    }
    await attempt('restart the server', () => connection.restartServer());
  }
}

/** What the key bindings in package.json pass. */
function isOfKey(argument: unknown): boolean {
  return typeof argument === 'object' && argument !== null && 'of' in argument && argument.of === 'chosen';
}
