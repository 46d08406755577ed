// Select Runtime: each runtime with its device, its speed and why it works or not; what is picked goes into the settings.
import * as vscode from 'vscode';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { CommandId, SettingKey } from '../contributions.ts';
import { runtimeSetting, type RuntimeStatusBar } from '../runtimes/runtimeStatusBar.ts';
import { runtimeItems, type RuntimeItem } from '../runtimes/runtimeText.ts';
import { attempt } from '../showFailure.ts';
import { isTrusted } from './workspaceTrust.ts';

export interface SelectRuntimeParts {
  readonly connection: ServerConnection;
  readonly runtimeStatusBar: RuntimeStatusBar;
}

const testAgain: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('refresh'),
  tooltip: 'Look for the runtimes and test them again',
};

export async function selectRuntime(parts: SelectRuntimeParts): Promise<void> {
  if (!isTrusted('try runtimes')) return;
  const picker = vscode.window.createQuickPick<RuntimeItem & vscode.QuickPickItem>();
  picker.title = 'Runtime on which Kafscope trains';
  picker.placeholder = 'Looking for runtimes and testing them …';
  picker.buttons = [testAgain];
  picker.matchOnDescription = true;
  const cancellation = new vscode.CancellationTokenSource();
  const picked = Promise.withResolvers<RuntimeItem | undefined>();
  picker.onDidHide(() => {
    picked.resolve(undefined);
  });
  picker.onDidAccept(() => {
    picked.resolve(picker.selectedItems[0]);
  });
  const fill = (isAnew: boolean): Promise<void> =>
    attempt('list the runtimes', async () => {
      picker.busy = true;
      try {
        const list = await parts.connection.request('device/list', { isAnew }, cancellation.token);
        parts.runtimeStatusBar.show(list);
        picker.items = runtimeItems(list, runtimeSetting());
        picker.placeholder = 'Select a runtime; test steps are small, larger networks gain more from a GPU';
      } catch (error) {
        if (!cancellation.token.isCancellationRequested) throw error;
      } finally {
        picker.busy = false;
      }
    });
  picker.onDidTriggerButton(() => void fill(true));
  picker.show();
  void fill(false);
  const item = await picked.promise;
  cancellation.cancel();
  picker.dispose();
  if (item) await use(item);
}

async function use({ choice, device }: RuntimeItem): Promise<void> {
  if (device?.isAvailable === false) {
    const install = 'Install TensorFlow…';
    const actions = choice === 'tensorflow' ? [install] : [];
    const chosen = await vscode.window.showWarningMessage(`${choice} does not work here. ${device.reason}`, ...actions);
    if (chosen === install) await vscode.commands.executeCommand('kafscope.installTensorflow' satisfies CommandId);
    return;
  }
  const key: SettingKey = 'kafscope.runtime';
  const configuration = vscode.workspace.getConfiguration();
  // Where the workspace has an opinion, changing the user's would change nothing.
  const isOfWorkspace = configuration.inspect(key)?.workspaceValue !== undefined;
  const target = isOfWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await attempt('change the setting', async () => {
    await configuration.update(key, choice === 'auto' ? undefined : choice, target);
  });
}
