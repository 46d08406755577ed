// Shows a failure with its actions. Which sentence and which actions is decided in failureMessage.ts.
import * as vscode from 'vscode';
import type { CommandId } from './contributions.ts';
import { failureMessage } from './failureMessage.ts';

/** Runs `action`; a failure is shown and, where the person asks for it, the action is run again. */
export async function attempt(doing: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    await showFailure(doing, error, () => attempt(doing, action));
  }
}

export async function showFailure(doing: string, error: unknown, retry?: () => Promise<void>): Promise<void> {
  const { sentence, actions } = failureMessage(doing, error, { canRetry: retry !== undefined });
  const chosen = await vscode.window.showErrorMessage(sentence, ...actions);
  switch (chosen) {
    case 'Retry':
      await retry?.();
      return;
    case 'Restart Server':
      await vscode.commands.executeCommand('kafscope.restartServer' satisfies CommandId);
      return;
    case 'Show Log':
      await vscode.commands.executeCommand('kafscope.showLog' satisfies CommandId);
      return;
    case undefined:
      return;
    default:
      chosen satisfies never;
  }
}
