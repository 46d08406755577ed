// The status bar's item: the run at work, hidden while nothing runs.
import * as vscode from 'vscode';
import { isLive } from '../../server/protocol/run.ts';
import type { CommandId } from '../contributions.ts';
import type { RunStore } from './runStore.ts';
import { currentRun, statusBarText } from './runText.ts';

export function createRunStatusBar(store: RunStore): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('kafscope.run', vscode.StatusBarAlignment.Left, 10);
  item.name = 'Kafscope Run';
  const subscription = store.onDidChange(() => {
    const run = currentRun(store.runs);
    if (!run) {
      item.hide();
      return;
    }
    item.text = statusBarText(run, store.runs.filter((other) => isLive(other.status)).length);
    item.tooltip = `${run.description}\nOpen the dashboard`;
    item.accessibilityInformation = { label: `Kafscope: ${run.name}, ${run.status}`, role: 'button' };
    const command: CommandId = 'kafscope.openDashboard';
    item.command = { command, title: 'Open Dashboard', arguments: [run.id] };
    item.show();
  });
  return vscode.Disposable.from(item, subscription);
}
