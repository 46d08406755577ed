// What the panels ask for, by message type; the Monitor and the dashboards share it.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FromDashboard, FromMonitor } from '../../server/protocol/panel.ts';
import type { RunCommands } from '../commands/runCommands.ts';
import type { CommandId } from '../contributions.ts';
import { checkpointViewType } from '../contributions.ts';
import type { RunStore } from '../runs/runStore.ts';
import { checkpointFile } from '../runs/runsModel.ts';

export interface PanelIntentParts {
  readonly runCommands: RunCommands;
  readonly store: RunStore;
  readonly openDashboard: (runId: string) => void;
  readonly placeOf: (document: vscode.TextDocument, path: string) => Promise<vscode.Range>;
}

export type PanelIntent = Exclude<
  FromDashboard | FromMonitor,
  { type: 'ready' | 'keepView' | 'showAttackedImages' | 'askSeries' | 'copy' | 'saveFile' }
>;

export function panelIntents({
  runCommands,
  store,
  openDashboard,
  placeOf,
}: PanelIntentParts): (intent: PanelIntent) => void {
  const openExperiment = async ({ file, path: place }: Extract<PanelIntent, { type: 'openExperiment' }>) => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
    const editor = await vscode.window.showTextDocument(document);
    if (place === undefined) return;
    const range = await placeOf(document, place);
    editor.selection = new vscode.Selection(range.start, range.start);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  };
  return (intent) => {
    switch (intent.type) {
      case 'pause':
      case 'resume':
      case 'stop':
        void runCommands.intend(intent.type, intent.runId);
        return;
      case 'evaluate':
        void runCommands.startEvaluation(intent.runId, intent.evaluation);
        return;
      case 'resumeEvaluation':
        void runCommands.resumeEvaluation(intent.runId, intent.evaluation);
        return;
      case 'halveLearningRate':
        void runCommands.copyPlan(intent.runId, 0.5);
        return;
      case 'openExperiment':
        void openExperiment(intent);
        return;
      case 'openCheckpoint': {
        const run = store.get(intent.runId);
        // A file's name, never a path: what a page says leads nowhere else.
        const uri = run && vscode.Uri.file(checkpointFile(run, path.basename(intent.file)));
        if (uri) void vscode.commands.executeCommand('vscode.openWith', uri, checkpointViewType);
        return;
      }
      case 'openDashboard':
        openDashboard(intent.runId);
        return;
      case 'newExperiment':
        void vscode.commands.executeCommand('kafscope.newExperiment' satisfies CommandId);
        return;
      case 'showLog':
        void vscode.commands.executeCommand('kafscope.showLog' satisfies CommandId);
        return;
      default:
        intent satisfies never;
    }
  };
}
