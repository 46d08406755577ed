// Tells in a notification that a run has ended, where the setting asks for it. What is said is in endToast.ts.
import * as vscode from 'vscode';
import { setting } from '../commands/machineOverrides.ts';
import { Ends, isTold, type EndToast, type WhenToTell } from './endToast.ts';
import type { RunStore } from './runStore.ts';

export interface TellEndsParts {
  readonly store: Pick<RunStore, 'onDidChangeRun'>;
  /** Whether the run's dashboard is in view. */
  readonly isShown: (runId: string) => boolean;
  readonly openDashboard: (runId: string) => void;
  readonly halveLearningRate: (runId: string) => void;
}

export function tellEnds({ store, isShown, openDashboard, halveLearningRate }: TellEndsParts): { dispose(): void } {
  const ends = new Ends();
  return store.onDidChangeRun((change) => {
    const toast = ends.see(change);
    const when = setting<WhenToTell>('kafscope.tellEnds') ?? 'away';
    const seen = { isFocused: vscode.window.state.focused, isShown: isShown(change.run.id) };
    if (toast && isTold(when, seen)) void tell(toast);
  });

  async function tell({ runId, text, severity, isDiverged }: EndToast): Promise<void> {
    const open = 'Open Dashboard';
    const halve = 'Half the Learning Rate…';
    const actions = isDiverged ? [open, halve] : [open];
    const show = severity === 'warning' ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
    const chosen = await show(text, ...actions);
    if (chosen === open) openDashboard(runId);
    if (chosen === halve) halveLearningRate(runId);
  }
}
