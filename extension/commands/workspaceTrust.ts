// In a workspace that is not trusted nothing is trained, attacked, tried or installed: an experiment may name code and folders of its
// own, and a workspace may hold libraries that would be loaded. Its past runs can be looked at.
import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';

/** False in an untrusted workspace, after saying why. */
export function isTrusted(doing: 'train' | 'evaluate' | 'try runtimes' | 'install' | 'download'): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = 'Manage Workspace Trust';
  const sentence = `Kafscope does not ${doing} in a workspace that is not trusted, because it may hold code that would be run. Past runs can be looked at.`;
  void vscode.window.showWarningMessage(sentence, manage).then((chosen) => {
    if (chosen === manage) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
}

/** Calls back when the workspace is granted trust. */
export function whenTrusted(callback: () => void): vscode.Disposable {
  return vscode.workspace.onDidGrantWorkspaceTrust(callback);
}

/** Keeps the context key by which the Runs view says so. */
export function keepTrustKey(): vscode.Disposable {
  const setKey = (): void => {
    void vscode.commands.executeCommand('setContext', contextKeys.isRestricted, !vscode.workspace.isTrusted);
  };
  setKey();
  return vscode.workspace.onDidGrantWorkspaceTrust(setKey);
}
