// In a workspace that is not trusted nothing is trained or attacked: an experiment may name code and folders of its own.
import * as vscode from 'vscode';
import { contextKeys } from '../contributions.ts';

/** False in an untrusted workspace, after saying why. */
export function isTrusted(doing: 'train' | 'evaluate'): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = 'Manage Workspace Trust';
  const sentence = `Kafscope does not ${doing} in a workspace that is not trusted, because an experiment may name code and folders of its own.`;
  void vscode.window.showWarningMessage(sentence, manage).then((chosen) => {
    if (chosen === manage) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
}

/** Keeps the context key by which the Runs view says so. */
export function keepTrustKey(): vscode.Disposable {
  const setKey = (): void => {
    void vscode.commands.executeCommand('setContext', contextKeys.isRestricted, !vscode.workspace.isTrusted);
  };
  setKey();
  return vscode.workspace.onDidGrantWorkspaceTrust(setKey);
}
