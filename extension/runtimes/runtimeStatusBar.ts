// The status bar's item for the runtime: asks the server once it is there, and again when a setting changes.
import * as vscode from 'vscode';
import type { DeviceListResult } from '../../server/protocol/messages.ts';
import type { RuntimeChoice } from '../../server/protocol/plan.ts';
import type { ServerConnection } from '../connection/serverConnection.ts';
import type { CommandId, SettingKey } from '../contributions.ts';
import { restrictedStatus, runtimeStatus } from './runtimeText.ts';

export class RuntimeStatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('kafscope.runtime', vscode.StatusBarAlignment.Right, 10);
  readonly #subscription: vscode.Disposable;
  #list: DeviceListResult | null = null;

  constructor(connection: ServerConnection, log: (line: string) => void) {
    this.#item.name = 'Kafscope Runtime';
    this.#item.command = 'kafscope.selectRuntime' satisfies CommandId;
    this.#subscription = vscode.Disposable.from(
      connection.onDidChangeState(({ status }) => {
        // To try a runtime is to load what is found of it: not in a workspace that is not trusted.
        if (status !== 'connected' || this.#list || !vscode.workspace.isTrusted) return;
        connection.request('device/list', {}).then(
          (list) => {
            this.show(list);
          },
          (error: unknown) => {
            log(`The runtimes are not known: ${String(error)}`);
          },
        );
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.#render();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('kafscope.runtime' satisfies SettingKey)) this.#render();
      }),
    );
    this.#render();
    this.#item.show();
  }

  show(list: DeviceListResult): void {
    this.#list = list;
    this.#render();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#item.dispose();
  }

  #render(): void {
    const { text, tooltip, isFaulty } = vscode.workspace.isTrusted
      ? runtimeStatus(runtimeSetting(), this.#list)
      : restrictedStatus;
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.backgroundColor = isFaulty ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.accessibilityInformation = { label: tooltip.replaceAll(/\.?\n/g, '. '), role: 'button' };
  }
}

export function runtimeSetting(): RuntimeChoice {
  return vscode.workspace.getConfiguration().get<RuntimeChoice>('kafscope.runtime' satisfies SettingKey) ?? 'auto';
}
