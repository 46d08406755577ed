// Tells in a notification that a run or a sweep has ended, where the setting asks for it. What is said is in endToast.ts and sweepEnds.ts.
import * as vscode from 'vscode';
import { setting } from '../commands/machineOverrides.ts';
import { SweepEnds, type SweepToast } from '../sweeps/sweepEnds.ts';
import type { SweepStore } from '../sweeps/sweepStore.ts';
import { Ends, isTold, type EndToast, type WhenToTell } from './endToast.ts';
import type { RunStore } from './runStore.ts';

export interface TellEndsParts {
  readonly store: Pick<RunStore, 'onDidChangeRun'>;
  readonly sweeps: Pick<SweepStore, 'sweeps' | 'onDidChange' | 'hasRun'>;
  /** Whether the run's dashboard is in view. */
  readonly isShown: (runId: string) => boolean;
  readonly openDashboard: (runId: string) => void;
  readonly halveLearningRate: (runId: string) => void;
  readonly showSweep: (sweepId: string) => void;
}

export function tellEnds(parts: TellEndsParts): vscode.Disposable {
  const { store, sweeps, isShown, openDashboard, halveLearningRate, showSweep } = parts;
  const ends = new Ends();
  const sweepEnds = new SweepEnds();
  return vscode.Disposable.from(
    store.onDidChangeRun((change) => {
      const toast = ends.see(change);
      if (toast && isWanted(isShown(toast.runId))) void tell(toast);
    }),
    sweeps.onDidChange(() => {
      for (const toast of sweepEnds.see(sweeps.sweeps)) if (isWanted(false)) void tellSweep(toast);
    }),
  );

  function isWanted(isInView: boolean): boolean {
    const when = setting<WhenToTell>('kafscope.tellEnds') ?? 'away';
    return isTold(when, { isFocused: vscode.window.state.focused, isShown: isInView });
  }

  async function tellSweep({ sweep, text, severity }: SweepToast): Promise<void> {
    const open = 'Show Sweep';
    if ((await show(severity)(text, open)) === open) showSweep(sweep.id);
  }

  async function tell({ runId, text, severity, isDiverged }: EndToast): Promise<void> {
    if (await sweeps.hasRun(runId)) return;
    const open = 'Open Dashboard';
    const halve = 'Half the Learning Rate…';
    const actions = isDiverged ? [open, halve] : [open];
    const chosen = await show(severity)(text, ...actions);
    if (chosen === open) openDashboard(runId);
    if (chosen === halve) halveLearningRate(runId);
  }
}

function show(
  severity: 'information' | 'warning',
): (text: string, ...actions: string[]) => Thenable<string | undefined> {
  return severity === 'warning' ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
}
